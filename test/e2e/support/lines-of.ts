import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Collects the JSON lines that a program prints. */
export function linesOf(child: ChildProcess): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  createInterface(child.stdout!).on('line', (line) => lines.push(JSON.parse(line)));
  return lines;
}
