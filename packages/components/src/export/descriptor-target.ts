import { write } from 'node:fs';
import type { Timers } from '@event-manager/core';
import type { LineTarget } from './line-export.ts';

const STANDARD_OUTPUT = 1;
const AGAIN_MS = 10;

/**
 * Writes to a descriptor that somebody else opened, the standard output. Not through `process.stdout`: for a pipe or a terminal
 * that waits until somebody reads, and the program with it.
 */
export class DescriptorTarget implements LineTarget {
  readonly to = 'stdout';
  readonly #descriptor: number;
  readonly #timers: Timers;

  constructor(timers: Timers, descriptor: number = STANDARD_OUTPUT) {
    this.#timers = timers;
    this.#descriptor = descriptor;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) at += await this.#some(bytes.subarray(at));
  }

  async close(): Promise<void> {}

  advice(code: string): string {
    return code === 'EPIPE' ? 'whoever read it is gone.' : 'what it leads to cannot be written.';
  }

  #some(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, bytes, (error, written) => {
        if (error === null) resolve(written);
        // A pipe that does not wait is full.
        else if (error.code === 'EAGAIN') this.#timers.after(AGAIN_MS, () => resolve(0), true);
        else reject(error);
      });
    });
  }
}
