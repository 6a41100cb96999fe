import type { ConnectionChange, EventManagerClient } from '@event-manager/client';
import type { CliContext } from '../cli-context.ts';
import type { ServiceFlags } from '../command-flags.ts';
import { askService } from './ask-service.ts';
import { serviceUrl } from './service-url.ts';

/** A person at a terminal wants to know now that nobody is there; a service that is there has this long to say so. */
const REACHABLE_MS = 5_000;

/**
 * The service that the flags name. Throws `unreachable` at once when nobody is there, although the client would try again; a
 * service that goes away later is waited for, and `note` is told so.
 */
export async function connect(
  context: CliContext,
  { url: given }: ServiceFlags,
  note: (words: string) => void = () => {},
): Promise<EventManagerClient> {
  const url = serviceUrl(context, given);
  const { runtime } = context.surroundings;
  const [client] = await Promise.all([
    import('@event-manager/client'),
    askService({ url, path: '/livez', timeoutMs: REACHABLE_MS, runtime }),
  ]);
  return new client.EventManagerClient(url, { onConnection: told(note) });
}

/** Only what a person did not expect: that it is gone, once, and that it is back. */
function told(note: (words: string) => void): (change: ConnectionChange) => void {
  let isAway = false;
  return (change) => {
    const wasAway = isAway;
    isAway = change.state === 'disconnected';
    if (isAway && !wasAway) note('the service went away; waiting for it');
    if (!isAway && wasAway) note('the service is back');
  };
}
