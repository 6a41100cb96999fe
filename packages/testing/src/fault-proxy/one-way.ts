import type { Socket } from 'node:net';
import type { Runtime } from '@event-manager/core';
import type { FaultSwitch } from './faults.ts';

/** Read ahead so far, so that latency does not become a limit of the rate; then the sender feels that nobody reads. */
const HELD_BYTES_MAX = 1024 * 1024;
/** A bandwidth is kept by pieces of a twentieth of a second. */
const PIECES_PER_SECOND = 20;

interface Piece {
  /** Absent for the end of the stream, which waits its turn like bytes. */
  readonly bytes: Buffer | undefined;
  readonly arrivedMs: number;
  /** In [0, 1): its share of the jitter, drawn once so that a change of faults does not draw it again. */
  readonly share: number;
}

export interface OneWayOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly faults: FaultSwitch;
  readonly runtime: Runtime;
  /** Asked before bytes go on; true cuts the connection instead. */
  readonly isCutAt: (bytes: Buffer) => boolean;
  readonly onForward: (bytes: number) => void;
}

/** One direction of a connection: a queue between two sockets, and one loop that takes from it when the faults allow. */
export class OneWay {
  readonly #options: OneWayOptions;
  readonly #queue: Piece[] = [];
  #heldBytes = 0;
  #isOver = false;
  #wake: () => void = () => {};

  constructor(options: OneWayOptions) {
    this.#options = options;
    options.from.on('data', (bytes: Buffer) => this.#take(bytes));
    options.from.on('end', () => this.#take(undefined));
    // Nothing came before the end, and that was told while the other side was still being opened.
    if (options.from.readableEnded) this.#take(undefined);
    void this.#run();
  }

  /** Bytes that were read and have not gone on. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Nothing more goes on; what is held is dropped, and what still comes is read and dropped. */
  stop(): void {
    this.#isOver = true;
    this.#queue.length = 0;
    this.#heldBytes = 0;
    this.#options.from.resume();
    this.#wake();
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#isOver) return;
    const { from, runtime } = this.#options;
    this.#queue.push({ bytes, arrivedMs: runtime.clock.monotonicMs(), share: runtime.chance.fraction() });
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes > HELD_BYTES_MAX) from.pause();
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const piece = this.#queue[0];
      const waitMs = piece === undefined ? Number.POSITIVE_INFINITY : this.#remainingMs(piece);
      if (piece === undefined || waitMs > 0) {
        await this.#pause(waitMs);
        continue;
      }
      this.#queue.shift();
      if (piece.bytes) await this.#forward(piece.bytes);
      else this.#finish();
    }
  }

  #remainingMs({ arrivedMs, share }: Piece): number {
    const { faults, runtime } = this.#options;
    const { blackHole, latencyMs, jitterMs } = faults.now;
    if (blackHole) return Number.POSITIVE_INFINITY;
    return arrivedMs + latencyMs + share * jitterMs - runtime.clock.monotonicMs();
  }

  /** Slice by slice, each under the faults of its moment. */
  async #forward(bytes: Buffer): Promise<void> {
    const { to, faults, runtime, isCutAt, onForward } = this.#options;
    if (isCutAt(bytes)) return;
    for (let at = 0; at < bytes.length && !this.#isOver; ) {
      const { blackHole, bytesPerSecond, sliceBytes } = faults.now;
      if (blackHole) {
        await this.#pause(Number.POSITIVE_INFINITY);
        continue;
      }
      const size = Math.max(1, Math.floor(Math.min(sliceBytes, bytesPerSecond / PIECES_PER_SECOND)));
      const slice = bytes.subarray(at, at + size);
      at += slice.length;
      await new Promise<void>((resolve) => void to.write(slice, () => resolve()));
      onForward(slice.length);
      this.#heldBytes -= slice.length;
      if (this.#isOver) return;
      if (Number.isFinite(bytesPerSecond)) await this.#spend((slice.length / bytesPerSecond) * 1000);
      else if (Number.isFinite(sliceBytes)) await new Promise<void>((resolve) => runtime.timers.soon(resolve));
    }
    if (this.#heldBytes <= HELD_BYTES_MAX) this.#options.from.resume();
  }

  #finish(): void {
    this.#options.to.end();
    this.#isOver = true;
  }

  /** Resolves after the time, or as soon as faults change, something arrives or the way is over; the caller looks again. */
  async #pause(ms: number): Promise<void> {
    const { faults, runtime } = this.#options;
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const unwatch = faults.watch(woken.resolve);
    const cancel = Number.isFinite(ms) ? runtime.timers.after(ms, woken.resolve) : () => {};
    await woken.promise;
    cancel();
    unwatch();
  }

  /** The whole time, whatever arrives meanwhile; a change of faults forgives the rest. */
  async #spend(ms: number): Promise<void> {
    const { faults, runtime } = this.#options;
    const given = faults.now;
    const untilMs = runtime.clock.monotonicMs() + ms;
    for (;;) {
      const remainingMs = untilMs - runtime.clock.monotonicMs();
      if (remainingMs <= 0 || this.#isOver || faults.now !== given) return;
      await this.#pause(remainingMs);
    }
  }
}
