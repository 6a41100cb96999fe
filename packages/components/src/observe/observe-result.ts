import type { Readable } from 'node:stream';
import type { ComponentRun } from './component-run.ts';
import { isGenerator, observeGenerator } from './observe-generator.ts';
import { observeReadable, observeWebStream } from './observe-stream.ts';

/**
 * What the component gave, for its caller, observed to its end. The caller gets the same thing wherever it can be looked at from
 * outside, and otherwise one that does the same. Nobody becomes responsible for a rejection or an error that was not before:
 * what nobody handles still ends the process.
 */
export function observeResult(result: unknown, run: ComponentRun): unknown {
  try {
    if (typeof result !== 'object' || result === null) return ended(result, run);
    if (result instanceof Promise) return observePromise(result, run);
    if (isGenerator(result)) return observeGenerator(result, run);
    if (isReadable(result)) return observeReadable(result, run);
    if (result instanceof ReadableStream) return observeWebStream(result, run);
    if (isFunction(result, 'then')) return observeInPlace(result, 'then', (then) => observedThen(then, run), run);
    if (isFunction(result, Symbol.asyncIterator)) {
      return observeInPlace(result, Symbol.asyncIterator, (iterate) => observedIterate(iterate, run), run);
    }
    return ended(result, run);
  } catch {
    // A result that throws when it is looked at, or one that we cannot observe: it is the caller's as it is.
    return ended(result, run);
  }
}

function ended(result: unknown, run: ComponentRun): unknown {
  run.completed(result);
  return result;
}

/** Another promise of the same class with the same outcome, and whatever the first one carries. */
function observePromise(promise: Promise<unknown>, run: ComponentRun): Promise<unknown> {
  const observed = promise.then(
    (value) => {
      const result = observeResult(value, run);
      return result;
    },
    (error) => {
      run.failed(error);
      throw error;
    },
  );
  // What has a symbol for a name is Node's own, such as the number of an async resource.
  for (const name of Object.getOwnPropertyNames(promise)) {
    Object.defineProperty(observed, name, Object.getOwnPropertyDescriptor(promise, name)!);
  }
  return observed;
}

type Anything = (...given: unknown[]) => unknown;

/**
 * Puts our function before one of the object's own, since it is more than what can be awaited or iterated: a query with its methods, a
 * child process. Many of them begin to work only when they are asked for their result, so we must not ask.
 */
function observeInPlace(
  result: object,
  key: 'then' | typeof Symbol.asyncIterator,
  observed: (own: Anything) => Anything,
  run: ComponentRun,
): unknown {
  const own = (result as Record<PropertyKey, Anything>)[key]!;
  const isPlaced = Reflect.defineProperty(result, key, { value: observed(own), configurable: true, writable: true });
  return isPlaced ? result : ended(result, run);
}

function observedThen(own: Anything, run: ComponentRun): Anything {
  return function then(this: unknown, fulfilled: unknown, rejected: unknown) {
    const pass = (next: unknown, value: unknown, otherwise: () => unknown) =>
      typeof next === 'function' ? next(value) : otherwise();
    return run.enter(() =>
      own.call(
        this,
        (value: unknown) => {
          run.completed(value);
          return pass(fulfilled, value, () => value);
        },
        (error: unknown) => {
          run.failed(error);
          return pass(rejected, error, () => {
            throw error;
          });
        },
      ),
    );
  };
}

function observedIterate(own: Anything, run: ComponentRun): Anything {
  return function iterate(this: unknown) {
    const iterator = own.call(this) as AsyncIterator<unknown>;
    return observeGenerator(iterator as unknown as AsyncGenerator, run);
  };
}

function isFunction(value: object, key: PropertyKey): boolean {
  return typeof (value as Record<PropertyKey, unknown>)[key] === 'function';
}

/** A stream of Node that is read from, whichever library made it. */
function isReadable(value: object): value is Readable {
  return isFunction(value, 'pipe') && isFunction(value, 'on') && isFunction(value, 'read');
}
