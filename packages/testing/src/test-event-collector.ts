import { AssertionError } from 'node:assert';
import { systemTimers, type Timers } from '@event-manager/core';

/** What a collector can tell events by. */
interface Typed {
  readonly type: string;
}

type Predicate<E> = (event: E) => boolean;

interface Waiting {
  /** Looks at what was collected; true when the wait is over. */
  check(): boolean;
}

export interface WaitOptions {
  /** Give up after this long. 5 seconds when absent. */
  readonly timeoutMs?: number;
  readonly timers?: Timers;
}

/**
 * Collects the events that a handler gets, so that a test can wait for what should happen instead of sleeping:
 *
 *     const collector = new TestEventCollector();
 *     await events.subscribe('orders/#', collector.handler);
 *     await collector.waitFor(3);
 *     collector.assertEventEmitted('order.created');
 */
export class TestEventCollector<E extends Typed = Typed> {
  readonly #events: E[] = [];
  readonly #waiting = new Set<Waiting>();

  /** Subscribe with this; it needs no binding. */
  readonly handler = (event: E): void => {
    this.#events.push(event);
    for (const waiting of [...this.#waiting]) {
      if (waiting.check()) this.#waiting.delete(waiting);
    }
  };

  /** What came so far, oldest first. */
  get events(): readonly E[] {
    return this.#events;
  }

  clear(): void {
    this.#events.length = 0;
  }

  /** Resolves with everything once `count` events are there, or with the first event that the predicate accepts. */
  waitFor(count: number, options?: WaitOptions): Promise<readonly E[]>;
  waitFor(predicate: Predicate<E>, options?: WaitOptions): Promise<E>;
  waitFor(wanted: number | Predicate<E>, options: WaitOptions = {}): Promise<E | readonly E[]> {
    if (typeof wanted === 'number') {
      return this.#wait(`${wanted} events`, options, () =>
        this.#events.length >= wanted ? [...this.#events] : undefined,
      );
    }
    return this.#wait('an event that matches', options, () => this.#events.find(wanted));
  }

  /** Throws unless such an event came; with `times`, unless exactly so many came. Gives the first. */
  assertEventEmitted(wanted: string | Predicate<E>, options: { readonly times?: number } = {}): E {
    const found = this.#matching(wanted);
    const isEnough = options.times === undefined ? found.length > 0 : found.length === options.times;
    if (!isEnough) this.#fail(wanted, `${options.times ?? 'at least 1'}`, found.length);
    return found[0]!;
  }

  /** Throws if such an event came. */
  assertNoEventEmitted(wanted: string | Predicate<E>): void {
    const found = this.#matching(wanted);
    if (found.length > 0) this.#fail(wanted, 'none', found.length);
  }

  #matching(wanted: string | Predicate<E>): E[] {
    return this.#events.filter(typeof wanted === 'string' ? (event) => event.type === wanted : wanted);
  }

  #fail(wanted: string | Predicate<E>, expected: string, actual: number): never {
    const what = typeof wanted === 'string' ? `events of type ${wanted}` : 'events that match';
    throw new AssertionError({
      message: `Expected ${expected} ${what}, got ${actual}. ${this.#summary()}`,
      actual,
      expected,
    });
  }

  #summary(): string {
    const types = this.#events.map(({ type }) => type).slice(0, 20);
    return `${this.#events.length} events came${types.length === 0 ? '' : `: ${types.join(', ')}`}.`;
  }

  #wait<R>(what: string, options: WaitOptions, look: () => R | undefined): Promise<R> {
    const { timeoutMs = 5000, timers = systemTimers } = options;
    return new Promise((resolve, reject) => {
      const waiting = {
        check: () => {
          const result = look();
          if (result === undefined) return false;
          cancel();
          resolve(result);
          return true;
        },
      };
      const cancel = timers.after(timeoutMs, () => {
        this.#waiting.delete(waiting);
        reject(new AssertionError({ message: `Waited ${timeoutMs} ms for ${what}. ${this.#summary()}` }));
      });
      if (!waiting.check()) this.#waiting.add(waiting);
    });
  }
}
