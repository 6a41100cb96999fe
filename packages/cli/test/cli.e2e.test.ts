import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/run.ts';
import { BIN, Spawned, spawned } from './support/spawned.ts';

const QUIET = { EVENT_MANAGER_METRICS_ENABLED: 'false', EVENT_MANAGER_SYSTEM_EVENTS: 'false' };

async function serving(...args: string[]): Promise<{ service: Spawned; url: string }> {
  const service = spawned(['serve', '--port', '0', ...args], QUIET);
  const [, url] = await service.shows(/EventManager listens on (http:\S+)/);
  return { service, url: url! };
}

it('serves, publishes 10,000 lines, watches, ends quietly with its reader, and says how each ended', async () => {
  const { service, url } = await serving('--data-dir', join(temporaryFolder(), 'data'));
  const environment = { EVENT_MANAGER_URL: url };

  const publishing = spawned(['publish', '-', '--source', 'shop'], environment);
  for (let n = 0; n < 10_000; n++) publishing.child.stdin!.write(`{"type":"load","payload":{"n":${n}}}\n`);
  publishing.child.stdin!.end();
  expect(await publishing.ended).toMatchObject({ code: 0 });
  expect([publishing.out, publishing.err]).toEqual([
    expect.stringMatching(/^10,000 stored, 0 stored before, 0 ref/),
    '',
  ]);

  // What a shell does for `| head -1`: the first line arrives, the rest has no reader.
  const line = `"${process.execPath}" "${BIN}" tail --from earliest --json | head -1; echo "\${PIPESTATUS[0]}"`;
  const piped = new Spawned('bash', ['-c', line], environment);
  await piped.ended;
  const [event, code] = piped.out.trimEnd().split('\n');
  expect([JSON.parse(event!).event.payload, code]).toEqual([{ n: 0 }, '141']);
  expect(piped.err).toBe('');

  const watching = spawned(['tail'], environment);
  await watching.shows(/watching/);
  watching.child.kill('SIGINT');
  expect(await watching.ended).toMatchObject({ code: 130 });
  expect(watching.err).toMatch(/to continue: --from \S+\n$/);

  service.child.kill('SIGTERM');
  expect(await service.ended).toMatchObject({ code: 0 });
  expect(service.out).toMatch(/"msg":"stopped"/);
  const away = spawned(['events', 'list'], environment);
  expect(await away.ended).toMatchObject({ code: 3 });
});

it('loses nothing when the service is killed and comes back while it publishes and watches', async () => {
  const COUNT = 10_000;
  const dataDir = join(temporaryFolder(), 'data');
  const first = await serving('--data-dir', dataDir);
  const environment = { EVENT_MANAGER_URL: first.url };
  const watching = spawned(['tail', '--count', String(COUNT), '--type', 'load'], environment);
  await watching.shows(/watching/);
  const publishing = spawned(['publish', '-', '--source', 'shop'], environment);
  const write = (from: number, to: number) => {
    for (let n = from; n < to; n++) publishing.child.stdin!.write(`{"type":"load","payload":{"n":${n}}}\n`);
  };
  write(0, COUNT / 2);
  await watching.shows(/"n":0}/);
  first.service.child.kill('SIGKILL');
  await first.service.ended;
  write(COUNT / 2, COUNT);
  publishing.child.stdin!.end();
  const second = spawned(['serve', '--port', new URL(first.url).port, '--data-dir', dataDir], QUIET);
  await second.shows(/EventManager listens/);
  expect(await publishing.ended).toMatchObject({ code: 0 });
  const [, stored, before] = /^([\d,]+) stored, ([\d,]+) stored before, 0 refused/.exec(publishing.out)!;
  expect(Number(stored!.replace(',', '')) + Number(before!.replace(',', ''))).toBe(COUNT);
  expect(await watching.ended).toMatchObject({ code: 0 });
  const numbers = watching.out
    .trimEnd()
    .split('\n')
    .map((line) => Number(/"n":(\d+)}$/.exec(line)![1]));
  expect(numbers).toEqual([...Array(COUNT).keys()]);
  expect(watching.err).toMatch(/the service went away; waiting for it\nthe service is back\n/);
});

it('reads its configuration again when the file changes, and when it is asked to', async () => {
  const file = join(temporaryFolder(), 'settings.toml');
  writeFileSync(file, 'log_level = "info"\n');
  const { service } = await serving('--adapter', 'memory', '--config', file);
  writeFileSync(file, 'log_level = "debug"\n');
  await service.shows(/configuration read again; in force: logLevel/);
  writeFileSync(file, 'log_level = "loud"\n');
  await service.shows(/The configuration stays as it was: The setting logLevel \(\S+\) must be one of/);
  service.child.kill('SIGHUP');
  await service.shows(/(must be one of[\s\S]*){2}/);
  service.child.kill('SIGINT');
  expect(await service.ended).toMatchObject({ code: 0 });
});

it('says why the service does not start', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const failed = spawned(['serve', '--port', '0', '--data-dir', file], QUIET);
  expect(await failed.ended).toMatchObject({ code: 1 });
  expect(failed.err).toMatch(/^event-manager: The data directory cannot be made: a file has its name/);
});

it.skipIf(process.platform !== 'linux')('ends in order when its terminal goes away', async () => {
  const log = join(temporaryFolder(), 'log');
  // `script` gives it a terminal of its own; when `script` dies the terminal is gone, and the kernel says so by SIGHUP.
  const command = `"${process.execPath}" "${BIN}" serve --port 0 --adapter memory > ${log} 2>&1`;
  const terminal = new Spawned('script', ['-qfc', command, '/dev/null'], QUIET);
  await expect.poll(() => readLog(log), { timeout: 20_000 }).toMatch(/EventManager listens/);
  terminal.child.kill('SIGKILL');
  await expect.poll(() => readLog(log), { timeout: 20_000 }).toMatch(/"msg":"stopped"/);
});

it.skipIf(process.platform === 'win32')('ends in order when npm is told to end, which tells nobody', async () => {
  const log = join(temporaryFolder(), 'log');
  const command = `"${process.execPath}" "${BIN}" serve --port 0 --adapter memory > ${log} 2>&1; true`;
  const shell = new Spawned('sh', ['-c', command], { ...QUIET, npm_lifecycle_event: 'npx' });
  await expect.poll(() => readLog(log), { timeout: 20_000 }).toMatch(/EventManager listens/);
  shell.child.kill('SIGKILL');
  await expect.poll(() => readLog(log), { timeout: 20_000 }).toMatch(/"msg":"stopped"/);
});

function readLog(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
