import type { Exchange, JsonValue } from '@event-manager/core';
import { type TimerScope, VirtualTime } from '@event-manager/testing';
import { Peers } from '../../src/peers/peers.ts';
import { runtimeOn } from '../open-engine.ts';

/** Processes whose letters arrive when the test says so; `lost` says which never do. */
export class LetterBox {
  readonly time = new VirtualTime();
  readonly carried: { from: string; to: string | undefined; value: JsonValue }[] = [];
  lost: (from: string, to: string, value: JsonValue) => boolean = () => false;
  /** How long a letter travels. */
  travelMs = 1;
  readonly failures: unknown[] = [];
  readonly #receivers = new Map<string, { timers: TimerScope; onLetter: Parameters<Exchange['receive']>[1] }>();

  peers(name: string, facts: () => Record<string, number> = () => ({})): { peers: Peers; timers: TimerScope } {
    const timers = this.time.scope();
    const exchange: Exchange = {
      send: (value, to) => this.#carry(name, value, to),
      receive: (self, onLetter) => {
        this.#receivers.set(self, { timers, onLetter });
        return () => this.#receivers.delete(self);
      },
    };
    const onFailure = (error: unknown) => this.failures.push(error);
    const peers = new Peers({ exchange, self: name, runtime: runtimeOn(this.time, timers), facts, onFailure });
    return { peers, timers };
  }

  /** A letter is read at once, whatever else is due. */
  arrive(at: string, from: string, value: JsonValue): void {
    this.#receivers.get(at)!.onLetter(value, from);
  }

  #carry(from: string, value: JsonValue, to: string | undefined): void {
    this.carried.push({ from, to, value });
    for (const [name, { timers, onLetter }] of this.#receivers) {
      if (name === from || (to !== undefined && to !== name) || this.lost(from, name, value)) continue;
      timers.after(this.travelMs, () => onLetter(JSON.parse(JSON.stringify(value)) as JsonValue, from));
    }
  }
}
