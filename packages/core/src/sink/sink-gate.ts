import type { Sink } from '../contracts/sink.ts';
import type { Gate } from '../dispatch/gate.ts';

/** Closed while a sink can take nothing. Whoever watches the sink wakes the subscription, so there is no time to look again. */
export class SinkGate implements Gate {
  readonly opensAtMs = Number.POSITIVE_INFINITY;
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  room(): number {
    if (this.#sink.isUp === false) return 0;
    return this.#sink.room ?? Number.POSITIVE_INFINITY;
  }
}
