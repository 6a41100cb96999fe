import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { HistoryEntry } from './history-entry.ts';

/**
 * A history on disk, one JSON line per entry, for clients and receivers that are real processes.
 *
 * Each entry is one `write` to a file opened for appending: when the call returns the kernel has it, so it survives
 * `kill -9` of whoever writes, and several processes may write to one file. It is not synced: keep it away from the disk
 * whose power loss is being tried. A writer that dies in the middle leaves at most one torn line at the end.
 */
export class HistoryFile {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a');
  }

  add(entry: HistoryEntry): void {
    writeSync(this.#descriptor, `${JSON.stringify(entry)}\n`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Reads histories one after the other. A torn last line is left out; damage anywhere else is an error. */
export function readHistory(...paths: readonly string[]): HistoryEntry[] {
  return paths.flatMap((path) => {
    const lines = readFileSync(path, 'utf8').split('\n');
    // Empty when the last line is whole, torn otherwise.
    lines.pop();
    return lines.map((line, index) => parseLine(path, index + 1, line));
  });
}

function parseLine(path: string, number: number, line: string): HistoryEntry {
  try {
    return JSON.parse(line) as HistoryEntry;
  } catch (cause) {
    throw new TypeError(`${path}:${number} is not a history entry.`, { cause });
  }
}
