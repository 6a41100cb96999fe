import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

const HEADER_BYTES = 8;
const BUFFER_BYTES = 1 << 20;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The least that durable appending can be, and so the limit of this machine: length and CRC before the bytes, one write and
 * one `fdatasync` for all that wait, the next group forming meanwhile. No index, no ids, no recovery.
 */
export class RawLog {
  readonly #file: FileHandle;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  static async create(path: string): Promise<RawLog> {
    return new RawLog(await open(path, 'wx'));
  }

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  append(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      this.#running ??= Promise.resolve().then(() => this.#run());
    });
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#file.close();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#file.write(this.#joined(group));
        await this.#file.datasync();
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }

  #joined(group: readonly Waiting[]): Uint8Array {
    let length = 0;
    for (const { bytes } of group) length += HEADER_BYTES + bytes.length;
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(length * 2);
    let at = 0;
    for (const { bytes } of group) {
      this.#buffer.writeUInt32LE(bytes.length, at);
      this.#buffer.writeUInt32LE(crc32(bytes), at + 4);
      this.#buffer.set(bytes, at + HEADER_BYTES);
      at += HEADER_BYTES + bytes.length;
    }
    return this.#buffer.subarray(0, length);
  }
}
