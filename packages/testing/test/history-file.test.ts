import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../src/history-entry.ts';
import { HistoryFile, readHistory } from '../src/history-file.ts';

const ENTRIES: readonly HistoryEntry[] = [
  { kind: 'subscribe', subscription: 'a' },
  { kind: 'invoke', client: 'c', id: 'é\n1' },
  { kind: 'ok', id: 'é\n1', position: 4 },
];

describe('HistoryFile', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'history-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives back what was added, also by several writers and over several files', () => {
    const [path, other] = [join(folder, 'a'), join(folder, 'b')];
    const writers = [new HistoryFile(path), new HistoryFile(path), new HistoryFile(other)];
    for (const [i, entry] of ENTRIES.entries()) writers[i]!.add(entry);
    expect(readHistory(path, other)).toEqual(ENTRIES);
    for (const writer of writers) writer.close();
  });

  it('ignores a torn last line, wherever it is torn', () => {
    const path = join(folder, 'a');
    const file = new HistoryFile(path);
    for (const entry of ENTRIES) file.add(entry);
    const lastLineBytes = Buffer.byteLength(JSON.stringify(ENTRIES[2])) + 1;
    for (let cut = 1; cut <= lastLineBytes; cut++) {
      writeFileSync(path, ENTRIES.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      truncateSync(path, Buffer.byteLength(ENTRIES.map((entry) => `${JSON.stringify(entry)}\n`).join('')) - cut);
      expect(readHistory(path)).toEqual(ENTRIES.slice(0, 2));
    }
    file.close();
  });

  it('does not overlook damage in the middle', () => {
    const path = join(folder, 'a');
    appendFileSync(path, '{"kind":\n{"kind":"ok","id":"x"}\n');
    expect(() => readHistory(path)).toThrow(TypeError);
  });
});
