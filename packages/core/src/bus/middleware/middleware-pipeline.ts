import type { EventIn } from '../../event/event.ts';
import { createEventIdSource } from '../../event/event-id.ts';
import { type Runtime, systemRuntime } from '../../runtime/runtime.ts';
import type { BusPublishResult } from '../bus-publish-result.ts';
import { draftEvent, eventOfDraft, type Known } from './draft-event.ts';
import type { Middleware, MiddlewareEvent, MiddlewareFailure, MiddlewareStats } from './middleware.ts';
import { MiddlewareCounts } from './middleware-counts.ts';
import { Passage, type Step } from './passage.ts';

const TIMEOUT_MS = 5_000;

export interface MiddlewarePipelineOptions {
  /** What one middleware may take before it passes an event on, and again afterwards, milliseconds. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly runtime?: Runtime | undefined;
}

type Publish = (event: EventIn) => Promise<BusPublishResult>;

/** The middleware in front of `publish`, in the order in which it was added. */
export class MiddlewarePipeline {
  readonly #timeoutMs: number;
  readonly #runtime: Runtime;
  readonly #known: Known;
  /** Replaced and never changed: an event that is under way sees the steps that were there when it came. */
  #steps: readonly Step[] = [];
  #added = 0;

  constructor({ timeoutMs = TIMEOUT_MS, runtime = systemRuntime }: MiddlewarePipelineOptions = {}) {
    this.#timeoutMs = timeoutMs;
    this.#runtime = runtime;
    const { clock } = runtime;
    this.#known = { nextId: createEventIdSource(runtime), nowMs: () => clock.wallMs() };
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0;
  }

  get stats(): readonly MiddlewareStats[] {
    return this.#steps.map(({ name, counts }) => counts.stats(name));
  }

  /** Adds a step behind the others. What this returns takes it away again. */
  add(middleware: Middleware, name?: string): () => void {
    if (typeof middleware !== 'function') throw new TypeError('A middleware is a function.');
    this.#added++;
    const step: Step = {
      name: name ?? (middleware.name || `middleware ${this.#added}`),
      middleware,
      counts: new MiddlewareCounts(),
    };
    this.#steps = [...this.#steps, step];
    return () => {
      this.#steps = this.#steps.filter((other) => other !== step);
    };
  }

  /** Takes an event through all steps to `publish`. Answers what became of it. */
  run(event: EventIn, publish: Publish): Promise<BusPublishResult> {
    const steps = this.#steps;
    const draft = steps.length === 0 ? undefined : draftEvent(event, this.#known);
    if (!draft) return publish(event);
    const from = (at: number, current: MiddlewareEvent): Promise<BusPublishResult> => {
      const step = steps[at];
      if (!step) return publish(eventOfDraft(current));
      const rest = (passedOn: MiddlewareEvent) => from(at + 1, passedOn);
      const judge = (failure: MiddlewareFailure) => judged(steps, failure);
      return new Passage(step, current, { runtime: this.#runtime, timeoutMs: this.#timeoutMs, rest, judge }).answer;
    };
    return from(0, draft);
  }
}

/** Every middleware that has an opinion is told; `pass` needs one that says so and none that refuses. */
function judged(steps: readonly Step[], failure: MiddlewareFailure): 'pass' | 'refuse' {
  const verdicts = steps.map(({ middleware }) => {
    try {
      return middleware.onFailure?.(failure);
    } catch {
      return 'refuse';
    }
  });
  return verdicts.includes('pass') && !verdicts.includes('refuse') ? 'pass' : 'refuse';
}
