import type { Runtime } from '@event-manager/core';
import type { ComponentBus, ComponentEvent, ContextFields } from '../component-events.ts';
import { ExportedEvent } from '../export/exported-event.ts';
import { outsideOfFlows } from '../observe/flow.ts';
import { componentEvent } from './component-event.ts';
import type { EventCounter } from './event-counter.ts';
import type { Route } from './route.ts';

/** An accepted event, as small as it can be: thousands of them may wait. */
export interface QueuedEvent {
  readonly route: Route;
  readonly id: string;
  readonly type: string;
  readonly atMs: number;
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  readonly fields: ContextFields;
  readonly data: Readonly<Record<string, unknown>>;
  readonly characters: number;
  /** Goes to exports alone. */
  readonly isOfSystem?: true;
}

interface RouteEnd {
  readonly ended: Route;
}

/** After so many the event loop has a turn of its own. */
const PER_TURN = 128;
/** Events that a bus has not answered yet. With more, what comes waits here, and the buffer bounds it. */
const UNANSWERED_MAX = 256;

/** Takes events out of the queue, makes what leaves of them, and hands it to the bus and the exports. */
export class EventDrain {
  readonly #runtime: Runtime;
  readonly #bus: ComponentBus | undefined;
  readonly #counter: EventCounter;
  #queue: (QueuedEvent | RouteEnd)[] = [];
  #head = 0;
  #events = 0;
  #characters = 0;
  #unanswered = 0;
  #isPlanned = false;
  readonly #waiting = new Set<() => void>();

  constructor(parts: { runtime: Runtime; bus: ComponentBus | undefined; counter: EventCounter }) {
    this.#runtime = parts.runtime;
    this.#bus = parts.bus;
    this.#counter = parts.counter;
  }

  /** Events that wait, or that the bus has not answered. */
  get size(): number {
    return this.#events + this.#unanswered;
  }

  /** Of the texts of those that wait. */
  get characters(): number {
    return this.#characters;
  }

  add(event: QueuedEvent): void {
    this.#queue.push(event);
    this.#events++;
    this.#characters += event.characters;
    this.#plan();
  }

  /** Behind all of its events the route ends. */
  end(route: Route): void {
    this.#queue.push({ ended: route });
    this.#plan();
  }

  /** Resolves when nothing waits and the bus has answered. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    this.#plan();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Drops what waits; answers how many events it was. */
  abandon(): number {
    const left = this.#events;
    for (const item of this.#queue.slice(this.#head)) if ('ended' in item) item.ended.end();
    [this.#queue, this.#head] = [[], 0];
    [this.#events, this.#characters] = [0, 0];
    return left;
  }

  /** In this very turn of the loop, behind what runs now: a timer would wake the process once more. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    // Outside of the component that happens to emit now: what a subscriber does is no part of its flow.
    outsideOfFlows(() =>
      this.#runtime.timers.soon(() => {
        this.#isPlanned = false;
        this.#turn();
      }),
    );
  }

  #turn(): void {
    for (let taken = 0; taken < PER_TURN && this.#head < this.#queue.length; taken++) {
      if (this.#unanswered >= UNANSWERED_MAX) return;
      const item = this.#queue[this.#head++]!;
      if ('ended' in item) item.ended.end();
      else this.#deliver(item);
    }
    if (this.#head < this.#queue.length) {
      // Half of the array is behind us: what was taken can go.
      if (this.#head > this.#queue.length / 2) [this.#queue, this.#head] = [this.#queue.slice(this.#head), 0];
      this.#plan();
      return;
    }
    [this.#queue, this.#head] = [[], 0];
    this.#tellIdle();
  }

  #deliver(queued: QueuedEvent): void {
    this.#events--;
    this.#characters -= queued.characters;
    try {
      const event = componentEvent(queued);
      if (queued.isOfSystem !== true) this.#publish(event);
      const exported = new ExportedEvent(event);
      for (const each of queued.route.exportsOf(queued.type)) each.write(exported);
    } catch {
      this.#counter.failed('internal');
    }
  }

  #publish(event: ComponentEvent): void {
    if (this.#bus === undefined) return;
    let answer: unknown;
    try {
      answer = this.#bus.publish(event);
    } catch (error) {
      this.#counter.publishFailed(error);
      return;
    }
    if (typeof (answer as PromiseLike<unknown> | undefined)?.then !== 'function') {
      this.#counter.published();
      return;
    }
    this.#unanswered++;
    Promise.resolve(answer).then(
      () => this.#answered(() => this.#counter.published()),
      (error) => this.#answered(() => this.#counter.publishFailed(error)),
    );
  }

  #answered(count: () => void): void {
    this.#unanswered--;
    count();
    if (this.#head < this.#queue.length) this.#plan();
    else this.#tellIdle();
  }

  #isIdle(): boolean {
    return this.#head >= this.#queue.length && this.#unanswered === 0;
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const tell of this.#waiting) tell();
    this.#waiting.clear();
  }
}
