import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { secretSamples } from '../sanitize/secret-samples.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { startReceiver } from './receiver.ts';
import { runProgram, startProgram } from './run-program.ts';

const NOBODY = 65_534;
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; payload: { n?: number } });

/** Everything that leaves the process, held against everything that must not. */
describe('secrets', () => {
  it('are in no export: not in stdout, file or webhook, with everything of the user told', {
    timeout: 60_000,
  }, async () => {
    const receiver = await startReceiver();
    const file = join(temporaryFolder(), 'events.log');
    const config = {
      includeUserData: true,
      emitStateEvents: true,
      emitDebugEvents: true,
      export: { stdout: true, file, webhook: receiver.url, webhookAllow: ['loopback'] },
    };
    const { stdout, said } = await runProgram({ config, how: 'samples' });
    const { counts, told } = JSON.parse(said);
    const exports = {
      stdout,
      file: readFileSync(file, 'utf8'),
      webhook: receiver.requests.map(({ body }) => body.toString()).join('\n'),
    };
    const samples = secretSamples();
    // Words of some samples are too short or too usual to be told from the rest of all events.
    const secrets = [...new Set(samples.flatMap((sample) => sample.secrets))].filter(
      (secret) => secret.length > 5 && !['alice', 'carol', '/root', '/tmp/'].includes(secret),
    );
    const leaks = Object.entries(exports).flatMap(([where, text]) =>
      secrets
        .filter((secret) => text.includes(JSON.stringify(secret).slice(1, -1)))
        .map((secret) => ({ where, secret })),
    );
    expect(leaks).toEqual([]);
    expect(exports.file.match(/alice|carol|Alice Smith/g)).toEqual(null);
    expect({ told, failed: counts.failed, refused: counts.refused }).toEqual({
      told: [],
      failed: { publish: 0, export: 0, internal: 0 },
      refused: { rate: 0, buffer: 0 },
    });
    const sizes = Object.entries(exports).map(([where, text]) => [where, text.split('"type":').length - 1]);
    process.stdout.write(`${JSON.stringify({ samples: samples.length, exported: Object.fromEntries(sizes) })}\n`);
    expect(new Set(sizes.map(([, events]) => events)).size).toBe(1);
    // It was told, with the user and what was handed over, and is not merely missing.
    expect(exports.file).toContain('user-77');
    expect(exports.file).toContain('[redacted]');
  });
});

describe('stdout', () => {
  it('gets one line an event', { timeout: 60_000 }, async () => {
    const { stdout, said } = await runProgram({ config: { export: { stdout: true } }, how: 'events', events: 1_000 });
    expect(lines(stdout).map(({ payload }) => payload.n)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(JSON.parse(said)).toMatchObject({ flushed: true, lost: 0, counts: { exported: 1_000 } });
  });

  it('gets everything also when the program ends without closing', { timeout: 60_000 }, async () => {
    const { stdout, code } = await runProgram({ config: { export: { stdout: true } }, how: 'exit', events: 500 });
    expect([lines(stdout).length, code]).toEqual([500, 0]);
  });

  /** A pipe that nobody reads holds up whoever writes to it. It must not be the component. */
  it('that nobody reads holds up no component', { timeout: 60_000 }, async () => {
    const child = startProgram({
      config: { export: { stdout: true }, bufferSize: 100_000 },
      how: 'flood',
      events: 20_000,
    });
    child.stdout.pause();
    let said = '';
    child.stderr.on('data', (data) => (said += data));
    await once(child, 'exit');
    const { worstMs, counts } = JSON.parse(said.trim());
    process.stdout.write(
      `${JSON.stringify({ worstMs: Math.round(worstMs), lines: counts.accepted, lost: counts.failed.export })}\n`,
    );
    expect(worstMs).toBeLessThan(1_000);
    expect(counts.failed.export).toBeGreaterThan(1_000);
  });

  it('whose reader is gone is told, and ends nothing', { timeout: 60_000 }, async () => {
    const child = startProgram({ config: { export: { stdout: true } }, how: 'events', events: 100 });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (data) => (said += data));
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(JSON.parse(said.trim()).told).toEqual([
      'export_failed: Events cannot be exported to stdout (EPIPE): whoever read it is gone.',
    ]);
  });
});

describe('a file', () => {
  it('that this user may not write is told with what to do', { timeout: 60_000 }, async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can start a program as somebody else');
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const locked = join(folder, 'locked');
    mkdirSync(locked, { mode: 0o755 });
    const { said } = await runProgram(
      { config: { export: { file: join(locked, 'events.log') } }, how: 'events' },
      NOBODY,
    );
    expect(JSON.parse(said).told).toEqual([expect.stringContaining('(EACCES): this user may not write there')]);
    writeFileSync(join(locked, 'events.log'), '');
  });
});

describe('SIGTERM', () => {
  async function terminate(takesSignal: boolean) {
    const file = join(temporaryFolder(), 'events.log');
    const child = startProgram({ config: { export: { file } }, how: 'wait', events: 5_000, takesSignal });
    await once(child.stderr, 'data');
    child.kill('SIGTERM');
    const [code, signal] = await once(child, 'exit');
    return { code, signal, events: lines(readFileSync(file, 'utf8')).length };
  }

  it('closes everything, and then ends the program as it would have', { timeout: 60_000 }, async () => {
    expect(await terminate(false)).toEqual({ code: null, signal: 'SIGTERM', events: 5_000 });
  });

  it('is left to a program that takes it itself', { timeout: 60_000 }, async () => {
    expect(await terminate(true)).toEqual({ code: 3, signal: null, events: 5_000 });
  });
});
