import type { EventIn } from '../event/event.ts';

/** Goes on with the next one. Without an argument with the same event. */
export type Next = (event?: EventIn) => Promise<void>;

/** Sees an event before it is stored: passes it on by `next`, or keeps it back by not doing so. */
export type Middleware = (event: EventIn, next: Next) => unknown;

/** What became of an event in front of the store. */
export type Passed = { readonly event: EventIn } | { readonly filtered: true; readonly by: string };

/** The steps in front of `publish`, in the order in which they were added. */
export class MiddlewarePipeline {
  readonly #steps: Middleware[] = [];

  get isEmpty(): boolean {
    return this.#steps.length === 0;
  }

  add(step: Middleware): () => void {
    this.#steps.push(step);
    return () => {
      const at = this.#steps.indexOf(step);
      if (at >= 0) this.#steps.splice(at, 1);
    };
  }

  /** Resolves with the event as the last one passed it on, or with who kept it back. Rejects with what a step throws. */
  async run(event: EventIn): Promise<Passed> {
    const steps = [...this.#steps];
    let passed: EventIn | undefined;
    let reached = -1;
    const step = async (at: number, current: EventIn): Promise<void> => {
      reached = Math.max(reached, at);
      const middleware = steps[at];
      if (!middleware) {
        passed = current;
        return;
      }
      await middleware(current, (changed = current) => step(at + 1, changed));
    };
    await step(0, event);
    return passed ? { event: passed } : { filtered: true, by: steps[reached]?.name || `middleware ${reached + 1}` };
  }
}
