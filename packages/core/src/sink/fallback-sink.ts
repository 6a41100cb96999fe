/**
 * Two ways to one receiver: events go by the first while it is up and by the fallback while it is not. Each is owed once:
 *
 *     realtime ──down for `patienceMs`──▶ fallback ──up again for a while──▶ realtime
 *
 * What was under way on the lost way is released by it, so the engine owes it at once and hands it to the other one; what the
 * fallback has in hand when the first way is back ends there. So an event goes twice only if the first way was lost between its
 * delivery and its acknowledgement.
 *
 * The way back is taken after a second. A way that is lost again within a minute of that is waited for twice as long the next
 * time, up to five seconds: one that comes and goes would otherwise be lost with a window of events each time.
 */
import type { DeliverOptions, Delivery, Outcome, RealtimeState, Sink } from '../contracts/sink.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';

const RETURN_MS = 1_000;
const RETURN_MS_MAX = 5_000;
const RELAPSE_MS = 60_000;

export interface FallbackSinkOptions {
  /** Says by `isUp` and `watch` whether it can take anything. */
  readonly primary: Sink;
  readonly fallback: Sink;
  /** How long the first way may be down before the other one serves. */
  readonly patienceMs: number;
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'planted'>;
  readonly onSwitched: (way: RealtimeState['way']) => void;
}

export class FallbackSink implements Sink {
  readonly #options: FallbackSinkOptions;
  #way: RealtimeState['way'] = 'realtime';
  #switches = 0;
  #returnMs = RETURN_MS;
  #returnedAtMs = Number.NEGATIVE_INFINITY;
  #cancelTurn: Cancel | undefined;
  #onChange: () => void = () => {};
  #isClosed = false;

  constructor(options: FallbackSinkOptions) {
    this.#options = options;
    options.primary.watch?.(() => this.#look());
    this.#look();
  }

  get single(): boolean {
    return this.#present.single === true;
  }

  get isUp(): boolean {
    return this.#present.isUp !== false;
  }

  get room(): number {
    return this.#present.room ?? Number.POSITIVE_INFINITY;
  }

  get realtime(): RealtimeState {
    const { primary } = this.#options;
    const connected = this.#isPrimaryUp;
    return { connected, ...primary.realtime, way: this.#way, switches: this.#switches };
  }

  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  deliver(batch: readonly Delivery[], options: DeliverOptions): readonly Outcome[] | Promise<readonly Outcome[]> {
    const { runtime, fallback } = this.#options;
    if (runtime.planted.has('fallback-delivers-twice') && this.#present !== fallback) {
      void fallback.deliver(batch, options);
    }
    return this.#present.deliver(batch, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTurn?.();
    await Promise.all([this.#options.primary.close(), this.#options.fallback.close()]);
  }

  get #present(): Sink {
    return this.#way === 'realtime' ? this.#options.primary : this.#options.fallback;
  }

  get #isPrimaryUp(): boolean {
    return this.#options.primary.isUp !== false;
  }

  /** The first way may be up or down now. A turn that is awaited ends when that is not so any more. */
  #look(): void {
    if (this.#isClosed) return;
    const isRight = this.#isPrimaryUp === (this.#way === 'realtime');
    if (isRight) {
      this.#cancelTurn?.();
      this.#cancelTurn = undefined;
    } else this.#cancelTurn ??= this.#await();
    this.#onChange();
  }

  #await(): Cancel {
    const { patienceMs, runtime } = this.#options;
    return runtime.timers.after(this.#way === 'realtime' ? patienceMs : this.#returnMs, () => this.#turn());
  }

  #turn(): void {
    const { runtime, onSwitched } = this.#options;
    this.#cancelTurn = undefined;
    const nowMs = runtime.clock.monotonicMs();
    if (this.#way === 'realtime') {
      const isRelapse = nowMs - this.#returnedAtMs < RELAPSE_MS;
      this.#returnMs = isRelapse ? Math.min(RETURN_MS_MAX, this.#returnMs * 2) : RETURN_MS;
      this.#way = 'fallback';
    } else {
      this.#returnedAtMs = nowMs;
      this.#way = 'realtime';
    }
    this.#switches++;
    onSwitched(this.#way);
    this.#onChange();
  }
}
