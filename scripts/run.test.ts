import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const RUN = join(import.meta.dirname, 'run.mjs');
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'event-manager-run-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Starts run.mjs on a file with this text. */
function start(text: string, args: readonly string[] = [], nodeOptions: readonly string[] = []): ChildProcess {
  const file = join(dir, 'program.ts');
  writeFileSync(file, text);
  return spawn(process.execPath, [...nodeOptions, RUN, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function outcomeOf(child: ChildProcess) {
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code, signal] = await once(child, 'close');
  return { code, signal, output };
}

it('runs TypeScript on the pinned Node with sources resolved, passing arguments and the exit code', async () => {
  const text =
    'const said: string[] = [process.version, ...process.execArgv, ...process.argv.slice(2)];\nconsole.log(said.join());\nprocess.exitCode = 7;';
  const { code, output } = await outcomeOf(start(text, ['a b', '--flag']));
  expect(output).toMatch(/^v26\.\d+\.\d+,--conditions=source,a b,--flag\n$/);
  expect(code).toBe(7);
});

it.each(['SIGTERM', 'SIGINT'] as const)(
  'passes %s on once and waits for the program to end in its own way',
  async (signal) => {
    const child = start(`let count = 0;
    process.on('${signal}', () => { count += 1; setImmediate(() => { console.log('signals', count); process.exit(5); }); });
    setInterval(() => {}, 1000);
    console.log('ready');`);
    const ended = outcomeOf(child);
    await once(child.stdout!, 'data');
    child.kill(signal);
    const { code, output } = await ended;
    expect(output).toContain('signals 1');
    expect(code).toBe(5);
  },
);

it('ends the program when npm was told to stop, although npm tells only its shell', async () => {
  const file = join(dir, 'program.ts');
  writeFileSync(
    file,
    "process.on('SIGTERM', () => { console.log('stopped'); process.exit(); }); setInterval(() => {}, 1000); console.log('ready');",
  );
  // The command behind it keeps the shell from becoming the program itself.
  const shell = spawn('sh', ['-c', '"$0" "$1" "$2"; true', process.execPath, RUN, file], {
    env: { ...process.env, npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = outcomeOf(shell);
  await once(shell.stdout!, 'data');
  shell.kill('SIGTERM');
  expect((await ended).output).toContain('stopped');
});

it('dies of the signal of which the program died', async () => {
  const { code, signal } = await outcomeOf(start("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);"));
  expect([code, signal]).toEqual([null, 'SIGKILL']);
});

it('refuses an old Node in one sentence', async () => {
  const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'18.20.4'})";
  const { code, output } = await outcomeOf(start('', [], ['--import', old]));
  expect(output).toBe(
    'event-manager: this needs Node 20 or newer to start (found 18.20.4); it then fetches the version it runs on.\n',
  );
  expect(code).toBe(1);
});
