import { once } from 'node:events';
import { createServer } from 'node:net';
import { systemChance } from '@event-manager/core';
import { ServerError } from './server-error.ts';

/**
 * Below the range from which systems take the ports of outgoing connections and of `listen(0)`: the port of a server that a test
 * has stopped is then not given to somebody else before the test starts it again under the same url.
 */
const PORT_FIRST = 16_384;
const PORT_COUNT = 16_384;
const TRIES_MAX = 200;

/** A port of 127.0.0.1 on which nobody listens now. Whoever binds it must still expect to come second, and ask again. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES_MAX; tried++) {
    const port = PORT_FIRST + Math.floor(systemChance.fraction() * PORT_COUNT);
    if (await canBind(port)) return port;
  }
  throw new ServerError(`None of ${TRIES_MAX} ports of 127.0.0.1 was free.`);
}

async function canBind(port: number): Promise<boolean> {
  const probe = createServer();
  // `once` of the one rejects by the other.
  const outcome = new Promise<boolean>((resolve) => {
    probe.once('listening', () => resolve(true)).once('error', () => resolve(false));
  });
  probe.listen(port, '127.0.0.1');
  if (!(await outcome)) return false;
  probe.close();
  await once(probe, 'close');
  return true;
}
