import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import { LANES, type Lane } from '../event/priority.ts';
import type { Owed } from './owed.ts';

/** What changed in a commit under way, by position; `undefined` where a debt went. */
export type PendingDebts = ReadonlyMap<Position, Owed | undefined>;

/** The deliveries of one subscription that stand in no lane: those that wait for their time, and those whose time has come. */
export class Debts {
  readonly all = new Map<Position, Owed>();
  readonly #durable: boolean;
  readonly #ready: readonly Owed[][];
  /** What the durable records do not say yet. */
  #pending = new Map<Position, Owed | undefined>();

  /** With one lane all priorities stand in one line. */
  constructor(lanes: number, durable: boolean) {
    this.#durable = durable;
    const ready = Array.from({ length: lanes }, (): Owed[] => []);
    this.#ready = LANES.map((lane) => ready[lane] ?? ready[0]!);
  }

  get hasReady(): boolean {
    return this.#ready.some((ready) => ready.length > 0);
  }

  put(owed: Owed): void {
    this.all.set(owed.position, owed);
    if (this.#durable) this.#pending.set(owed.position, owed);
  }

  forget(position: Position): void {
    this.all.delete(position);
    if (this.#durable) this.#pending.set(position, undefined);
  }

  /** Its time has come. Whoever says so twice, or of one that is tried already, says nothing new. */
  makeReady(owed: Owed): void {
    if (owed.isReady || owed.started) return;
    owed.isReady = true;
    this.#ready[owed.lane]!.push(owed);
  }

  peekReady(lane: Lane): Owed | undefined {
    return this.#ready[lane]![0];
  }

  takeReady(lane: Lane): Owed {
    const owed = this.#ready[lane]!.shift();
    if (!owed) throw new TypeError('takeReady on an empty lane');
    owed.isReady = false;
    return owed;
  }

  /** Those that wait for their time. */
  *waiting(): Generator<Owed> {
    for (const owed of this.all.values()) if (!owed.isReady) yield owed;
  }

  /** Takes what changed into a commit. */
  snapshot(keyOf: (position: Position) => string): { changes: StateChange[]; pending: PendingDebts } {
    const pending = this.#pending;
    this.#pending = new Map();
    const changes = [...pending].map(([position, owed]): StateChange => {
      const key = keyOf(position);
      return owed ? { kind: 'owed', key, value: owed.toJson() } : { kind: 'owed', key };
    });
    return { changes, pending };
  }

  /** The commit did not happen: its changes wait for the next one, beneath newer ones of the same delivery. */
  notCommitted(pending: PendingDebts): void {
    this.#pending = new Map([...pending, ...this.#pending]);
  }
}
