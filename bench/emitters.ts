import { Signal } from '@event-manager/core';
import Emittery from 'emittery';
import EventEmitter2Module from 'eventemitter2';
import { EventEmitter as EventEmitter3 } from 'eventemitter3';
import mitt from 'mitt';

/** What every emitter is asked: the same name, one listener, the same payload. */
export const NAME = 'bench.emitted';
const PATTERN = 'bench.*';
export const PAYLOAD = { index: 1, text: 'something happened' };

type Payload = typeof PAYLOAD;

/** An emitter with one listener that counts. */
export interface Emitter<Result> {
  readonly emit: () => Result;
  readonly count: () => number;
}

function counting<Result>(make: (listener: (payload: Payload) => void) => () => Result): Emitter<Result> {
  let count = 0;
  const emit = make(({ index }) => {
    count += index;
  });
  return { emit, count: () => count };
}

export const ourSignal = () =>
  counting((listener) => {
    const signal = new Signal<{ readonly [name: string]: Payload }>();
    signal.on(PATTERN, listener);
    return () => signal.emit(NAME, PAYLOAD);
  });

export const ourAwaitedSignal = () =>
  counting((listener) => {
    const signal = new Signal<{ readonly [name: string]: Payload }>();
    signal.on(PATTERN, listener);
    return () => signal.emitAsync(NAME, PAYLOAD);
  });

export const eventEmitter2 = () =>
  counting((listener) => {
    const emitter = new EventEmitter2Module.EventEmitter2({ wildcard: true });
    emitter.on(PATTERN, listener);
    return () => emitter.emit(NAME, PAYLOAD);
  });

/** Has no patterns: a listener of the name itself, which is less to do. */
export const eventEmitter3 = () =>
  counting((listener) => {
    const emitter = new EventEmitter3();
    emitter.on(NAME, listener);
    return () => emitter.emit(NAME, PAYLOAD);
  });

/** Its declarations are those of a CommonJS module, which it is not. */
const makeMitt = mitt as unknown as typeof mitt.default;

/** Its only pattern is everything. */
export const mittEmitter = () =>
  counting((listener) => {
    const emitter = makeMitt<Record<string, Payload>>();
    emitter.on('*', (_name, payload) => listener(payload));
    return () => emitter.emit(NAME, PAYLOAD);
  });

/** Has no patterns either. */
export const emitteryEmitter = () =>
  counting((listener) => {
    const emitter = new Emittery<Record<string, Payload>>();
    emitter.on(NAME, ({ data }) => listener(data));
    return () => emitter.emit(NAME, PAYLOAD);
  });
