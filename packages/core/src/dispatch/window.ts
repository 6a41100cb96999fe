import type { StateChange } from '../contracts/state-store.ts';

/** Bytes of dead letters in one commit of a subscription before claiming waits for it. */
const PENDING_BYTES_MAX = 1024 * 1024;

/** What a commit takes out of the window. */
export interface WindowSnapshot {
  readonly settled: number;
  readonly changes: readonly StateChange[];
  readonly bytes: number;
}

/**
 * The deliveries of one queue that a crash would bring again: those under way, and those that are settled but not yet durable.
 * They never exceed `inFlightMax`. With them wait the changes that settlements add to their commit, dead letters above all.
 */
export class Window {
  readonly #inFlightMax: number;
  readonly #durable: boolean;
  #claimed = 0;
  #uncommitted = 0;
  #commitsUnderWay = 0;
  #changes: StateChange[] = [];
  #bytes = 0;

  constructor(inFlightMax: number, durable: boolean) {
    this.#inFlightMax = inFlightMax;
    this.#durable = durable;
  }

  /** Deliveries that may still be attempted right now before it is full. */
  get left(): number {
    // One commit is encoded in one turn of the event loop: it must not gather a window of the largest letters.
    if (this.#bytes >= PENDING_BYTES_MAX) return 0;
    return this.#inFlightMax - this.#claimed - this.#uncommitted;
  }

  get claimed(): number {
    return this.#claimed;
  }

  /** Nothing that is settled waits to be made durable. */
  get isCommitted(): boolean {
    return this.#uncommitted === 0 && this.#commitsUnderWay === 0;
  }

  /** Changes that wait for the next commit. */
  get changesCount(): number {
    return this.#changes.length;
  }

  claim(): void {
    this.#claimed++;
  }

  settle(): void {
    this.#claimed--;
    if (this.#durable) this.#uncommitted++;
  }

  /** `changes`, of about `bytes`, follow from a settlement: they join its commit. */
  add(changes: readonly StateChange[], bytes: number): void {
    this.#changes.push(...changes);
    this.#bytes += bytes;
  }

  snapshot(): WindowSnapshot {
    const snapshot = { settled: this.#uncommitted, changes: this.#changes, bytes: this.#bytes };
    this.#changes = [];
    this.#bytes = 0;
    this.#commitsUnderWay++;
    return snapshot;
  }

  committed({ settled }: WindowSnapshot): void {
    this.#commitsUnderWay--;
    this.#uncommitted -= settled;
  }

  notCommitted({ changes, bytes }: WindowSnapshot): void {
    this.#commitsUnderWay--;
    this.#changes = [...changes, ...this.#changes];
    this.#bytes += bytes;
  }
}
