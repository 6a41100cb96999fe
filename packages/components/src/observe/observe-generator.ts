import type { ComponentRun } from './component-run.ts';

type AnyGenerator = Generator<unknown, unknown, unknown> | AsyncGenerator<unknown, unknown, unknown>;
type Step = IteratorResult<unknown, unknown>;

export function isGenerator(value: object): value is AnyGenerator {
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === 'Generator' || tag === 'AsyncGenerator';
}

/**
 * A generator that does the same. Each step runs as a part of the component, because a generator runs in the surroundings of
 * whoever asks it for more. One that is left before its end is completed, with `ended: "left"`.
 */
export function observeGenerator(generator: AnyGenerator, run: ComponentRun): unknown {
  let items = 0;
  const seen = (step: Step): Step => {
    if (step.done === true) run.completed(step.value, { items });
    else items++;
    return step;
  };
  const failed = (error: unknown): never => {
    run.failed(error, { items });
    throw error;
  };
  const observed = (step: () => Step | Promise<Step>): unknown => {
    let taken: Step | Promise<Step>;
    try {
      taken = run.enter(step);
    } catch (error) {
      return failed(error);
    }
    return taken instanceof Promise ? taken.then(seen, failed) : seen(taken);
  };
  const left = () => run.completed(undefined, { items, ended: 'left' });
  const steps = {
    next: (...given: [] | [unknown]) => observed(() => generator.next(...given)),
    throw: (error: unknown) => observed(() => generator.throw(error)),
    return: (value: unknown) => {
      const answer = run.enter(() => generator.return?.(value) ?? { done: true, value });
      const told = (step: Step): Step => {
        // A `finally` may still have something to give.
        if (step.done === true) left();
        return step;
      };
      return answer instanceof Promise ? answer.then(told, failed) : told(answer);
    },
  };
  const self = Object.create(Object.getPrototypeOf(generator)) as object;
  const entries = Object.entries(steps).map(([name, value]) => [name, { value, configurable: true, writable: true }]);
  return Object.defineProperties(self, Object.fromEntries(entries));
}
