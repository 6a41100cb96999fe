import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { ReadFields } from '../../json/read-fields.ts';
import { orderOf } from './without-effect.ts';

const ORDERS: readonly unknown[] = ['none', 'topic', 'key'];
const ON_FAILURE: readonly unknown[] = ['block', 'park', 'skip'];
const PATH = /^(?:payload|metadata)\.[^.]+(?:\.[^.]+)*$/;
const PATH_CHARACTERS_MAX = 255;

/** What is done one after the other. A definition of an older version has none of it, which means `none`. */
export interface OrderOptions {
  /** `topic`: the events of one topic; `key`: those with one ordering key. Absent: nothing. */
  readonly order?: 'topic' | 'key';
  /** With `order: 'key'`, where an event has its key: a path of `payload` or `metadata`. Absent: `metadata.orderingKey`, else its topic. */
  readonly orderingKey?: string;
  /**
   * What a failure means for the later events of its key. Absent is `block`: they wait until it is delivered or a dead letter.
   * `park`: after the dead letter they wait until somebody releases the key. `skip`: no retry, they go on at once.
   */
  readonly onFailure?: 'park' | 'skip';
}

/** The spellings of these options. */
export const ORDER_FIELDS: readonly string[] = ['order', 'orderingKey', 'onFailure'];

/** Reads them; what is the default is not kept. An `orderingKey` alone asks for `order: 'key'`. Throws `invalid_subscription`. */
export function parseOrder(fields: ReadFields): OrderOptions {
  const orderingKey = readPath(fields);
  readWord(fields, 'order', ORDERS);
  const onFailure = readWord(fields, 'onFailure', ON_FAILURE) as OrderOptions['onFailure'] | 'block';
  const order = orderOf((name) => fields.get(name)) as 'none' | 'topic' | 'key';
  if (order === 'none') return {};
  return {
    order,
    ...(orderingKey === undefined ? {} : { orderingKey }),
    ...(onFailure === undefined || onFailure === 'block' ? {} : { onFailure }),
  };
}

function readPath(fields: ReadFields): string | undefined {
  const value = fields.get('orderingKey');
  if (value === undefined) return undefined;
  if (typeof value === 'string' && [...value].length <= PATH_CHARACTERS_MAX && PATH.test(value)) return value;
  throw invalid('An ordering key is a path like payload.customer.id.', fields.pointer('orderingKey'));
}

function readWord(fields: ReadFields, name: string, words: readonly unknown[]): unknown {
  const value = fields.get(name);
  if (value === undefined || words.includes(value)) return value;
  throw invalid(`One of ${words.join(', ')} is expected.`, fields.pointer(name));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}
