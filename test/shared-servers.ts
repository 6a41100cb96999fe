import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const SERVICES = join(import.meta.dirname, '../scripts/services.ts');

/**
 * Vitest calls this before the first test of a run, and what it returns after the last. It starts nothing but the program that
 * starts servers when a test asks. That is a process of its own, because the names of our packages
 * would mean in this one what was built last, or nothing. It ends with us, however we end, because its input does.
 */
export default async function sharedServers(): Promise<() => Promise<void>> {
  const services = spawn(process.execPath, [SERVICES, '--when-asked'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(services, 'exit');
  const [line] = await Promise.race([
    once(services.stdout.setEncoding('utf8'), 'data'),
    ended.then(([code]) => Promise.reject(new Error(`scripts/services.ts ended with ${code}.`))),
  ]);
  process.env['TEST_SERVERS'] = line.trim();
  return async () => {
    services.stdin.end();
    await ended;
  };
}
