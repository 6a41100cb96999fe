import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** As Node 20 is. */
const OLDER = 'data:text/javascript,delete Map.groupBy; delete Promise.withResolvers';

it('says which Node it needs, where an older one would end with words about something else', async () => {
  const flags = [
    '--conditions=source',
    '--import',
    OLDER,
    '--input-type=module',
    '--eval',
    'import "@event-manager/core"',
  ];
  const running = promisify(execFile)(process.execPath, flags, { cwd: import.meta.dirname });
  const words = `EventManager runs on Node 24 or newer; this is ${process.versions.node}.`;
  await expect(running).rejects.toMatchObject({ stderr: expect.stringContaining(words) });
});
