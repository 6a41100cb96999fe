import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { ReadFields } from '../../json/read-fields.ts';

export const DELIVERY_LOGS = ['failures', 'full', 'off'] as const;

/** Which deliveries leave a record when they are over; absent is `failures`: those that failed or waited at least once. */
export interface DeliveryLogOptions {
  readonly deliveryLog?: 'full' | 'off';
}

/** Reads it; what is the default is not kept. Throws `invalid_subscription`. */
export function parseDeliveryLog(fields: ReadFields): DeliveryLogOptions {
  const deliveryLog = fields.get('deliveryLog');
  if (deliveryLog === undefined || deliveryLog === 'failures') return {};
  if (deliveryLog === 'full' || deliveryLog === 'off') return { deliveryLog };
  throw new EventManagerError('invalid_subscription', `One of ${DELIVERY_LOGS.join(', ')} is expected.`, {
    pointer: fields.pointer('deliveryLog'),
  });
}
