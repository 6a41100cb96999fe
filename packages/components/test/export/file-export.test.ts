import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { EventsReport, SwitchOptions } from '@event-manager/components';
import { systemRuntime } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { collecting } from '../collecting.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function exporting(settings: Record<string, string | number | boolean> = {}, options: SwitchOptions = {}) {
  const file = String(settings['file'] ?? join(temporaryFolder(), 'events.log'));
  const reports: EventsReport[] = [];
  const onReport = (report: EventsReport) => void reports.push(report);
  const made = await collecting({ export: { file, ...settings }, statsIntervalMs: 0 }, { onReport, ...options });
  const context = made.registry.createExecutionContext();
  const emit = async (n: number) => {
    context.emit('test.happened', { n });
    await made.registry.flush();
  };
  return { ...made, file, reports, emit };
}

const numbers = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { payload: { n: number } }).payload.n);
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe('a file', () => {
  it('is made for its owner alone, and appended to', async () => {
    const { file, emit, registry } = await exporting();
    await emit(1);
    await registry.close();
    const again = await exporting({ file });
    await again.emit(2);
    expect([modeOf(file), numbers(file), again.reports]).toEqual(['600', [1, 2], []]);
  });

  it('that others can read was made so by somebody else: it stays and is told', async () => {
    const file = join(temporaryFolder(), 'events.log');
    writeFileSync(file, '', { mode: 0o644 });
    const { emit, reports } = await exporting({ file });
    await emit(1);
    await emit(2);
    expect([modeOf(file), numbers(file)]).toEqual(['644', [1, 2]]);
    expect(reports.map(({ code }) => code)).toEqual(['file_readable_by_others']);
  });

  // Only the administrator can make a file of somebody else, and only for the administrator can somebody else put one there.
  it.runIf(process.getuid?.() === 0)('that belongs to another user is told, whatever its mode', async () => {
    const file = join(temporaryFolder(), 'events.log');
    writeFileSync(file, '', { mode: 0o600 });
    chownSync(file, 65_534, 65_534);
    const { emit, reports } = await exporting({ file });
    await emit(1);
    expect(reports.map(({ text }) => text)).toEqual([expect.stringContaining('it belongs to another user')]);
  });

  it('holds events over several lines when that is wished', async () => {
    const { file, emit } = await exporting({ prettyJson: true });
    await emit(1);
    const text = readFileSync(file, 'utf8');
    expect(text.split('\n').length).toBeGreaterThan(8);
    expect(JSON.parse(text)).toMatchObject({ type: 'test.happened' });
  });

  it('is rotated before it grows too large, and the oldest goes', async () => {
    const { file, emit } = await exporting({ fileMaxBytes: 1_024, fileKeep: 2 });
    for (let n = 0; n < 20; n++) await emit(n);
    const files = [file, `${file}.1`, `${file}.2`];
    const kept = files.toReversed().flatMap(numbers);
    expect(files.map((each) => [modeOf(each), statSync(each).size <= 1_024])).toEqual(files.map(() => ['600', true]));
    expect(existsSync(`${file}.3`)).toBe(false);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => 20 - kept.length + at));
    expect(kept.length).toBeGreaterThan(6);
  });

  it('is rotated when it is old', async () => {
    let aheadMs = 0;
    const clock = { ...systemRuntime.clock, wallMs: () => Date.now() + aheadMs };
    const { file, emit } = await exporting({ fileMaxAgeMs: 60_000 }, { runtime: { ...systemRuntime, clock } });
    await emit(1);
    aheadMs = 59_000;
    await emit(2);
    aheadMs = 61_000;
    await emit(3);
    expect([numbers(`${file}.1`), numbers(file)]).toEqual([[1, 2], [3]]);
  });

  it('that somebody renamed or removed is made anew', async () => {
    const { file, emit } = await exporting();
    await emit(1);
    renameSync(file, `${file}.old`);
    await emit(2);
    rmSync(file);
    await emit(3);
    expect([numbers(`${file}.old`), numbers(file), modeOf(file)]).toEqual([[1], [3], '600']);
  });
});

/** What goes wrong with a file is told once and never reaches a component. */
describe('a file that cannot be written', () => {
  const folder = () => temporaryFolder();
  const cases: readonly [code: string, words: string, make: () => string][] = [
    ['ENOENT', 'mkdir -p', () => join(folder(), 'missing', 'events.log')],
    ['EISDIR', 'name a file in it', () => folder()],
    ['ELOOP', 'link', () => linkTo(join(folder(), 'target'))],
    ['ENOTDIR', 'no directory', () => join(import.meta.filename, 'events.log')],
  ];

  it.each(cases)('is told in words that help: %s', async (code, words, make) => {
    const { registry, emit, reports } = await exporting({ file: make() });
    const tool = registry.createExecutionContext().wrapTool('search', () => 'found');
    expect(tool()).toBe('found');
    await emit(1);
    await emit(2);
    expect(reports.map((report) => report.code)).toEqual(['export_failed']);
    expect(reports[0]!.text).toContain(`(${code})`);
    expect(reports[0]!.text).toContain(words);
    expect(registry.status().counts).toMatchObject({
      exported: 0,
      failed: { export: 4 },
      exports: [{ failing: true }],
    });
  });

  it('because the disk is full is told, and is written again when there is room', async () => {
    const { file, reports, emit, registry } = await exporting({ file: '/dev/full' });
    await emit(1);
    expect([file, reports.map(({ text }) => text)]).toEqual([
      '/dev/full',
      [
        expect.stringContaining('others can read'),
        'Events cannot be exported to /dev/full (ENOSPC): the disk is full.',
      ],
    ]);
    expect(registry.status().counts?.failed.export).toBe(1);
  });

  it('is tried again after a while', async () => {
    const directory = join(folder(), 'later');
    const waits: [number, () => void][] = [];
    const timers = {
      ...systemRuntime.timers,
      after(delayMs: number, call: () => void, keepsAlive?: boolean) {
        if (delayMs < 1_000) return systemRuntime.timers.after(delayMs, call, keepsAlive);
        waits.push([delayMs, call]);
        return () => {};
      },
    };
    const runtime = { ...systemRuntime, timers };
    const { file, emit, reports } = await exporting({ file: join(directory, 'events.log') }, { runtime });
    const pass = () => {
      const [delayMs, call] = waits.pop()!;
      call();
      return delayMs;
    };
    await emit(1);
    expect(pass()).toBe(1_000);
    await emit(2);
    expect(pass()).toBe(2_000);
    const longer: number[] = [];
    for (let n = 0; n < 5; n++) {
      await emit(2);
      longer.push(pass());
    }
    expect(longer).toEqual([4_000, 8_000, 16_000, 30_000, 30_000]);
    mkdirSync(directory);
    await emit(3);
    expect([numbers(file), reports.map(({ code }) => code)]).toEqual([[3], ['export_failed', 'export_recovered']]);
  });
});

function linkTo(target: string): string {
  writeFileSync(target, 'not ours\n');
  symlinkSync(target, `${target}.link`);
  return `${target}.link`;
}
