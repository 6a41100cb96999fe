/**
 * Fire and forget inside one process, as an emitter does it: no id, no lane, no store, and nothing of the engine. Listeners are
 * called at once, in the order in which they were added; what they throw stops neither the others nor whoever emits.
 *
 * Listeners are kept by what they listen to, and those of patterns besides by themselves: so one more or less costs the same
 * beside any number of others. Who is called for a name is decided once, in a list that is never changed, so whoever walks it
 * needs no copy. `#byName` forgets the list of a name when its listeners change, and all lists when those of a pattern do or when
 * it holds too many.
 */
import { emitWarning } from 'node:process';
import { DEFAULT_LIMITS } from '../limits.ts';
import { BUS_WARNING, ListenerLimit } from '../listener-limit.ts';
import { isExact, matchesPattern, type Pattern, parsePattern } from '../topic/pattern.ts';
import { canonicalLevels } from '../topic/topic.ts';
import type { Emitted, EmittedPayload, Listener } from '../typed/emitted.ts';
import type { EventTypeOf } from '../typed/event-map.ts';
import { AbortGroups } from './abort-groups.ts';
import { SignalEvents, type SignalEventsOptions } from './signal-events.ts';

/** Takes a listener away; also by `using`. */
export interface Off extends Disposable {
  (): void;
}

export interface ListenOptions {
  /** Takes the listener away when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface SignalOptions {
  /** Told once of everything that a listener throws or rejects with. Default: a warning of the process. */
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
  /** Listeners of one name or pattern before a warning says so; 0: never. Default: 1,000. */
  readonly maxListeners?: number | undefined;
}

interface Entry {
  /** Ascends: listeners are called in the order in which they came. */
  readonly place: number;
  readonly pattern: Pattern;
  readonly listener: (payload: never, name: never) => unknown;
  readonly off: () => void;
  /** Told that nothing comes any more. */
  readonly onClose: (() => void) | undefined;
  /** Of one that is called once: also where it emits its own name. */
  left: number;
}

const MAX_LISTENERS = 1_000;
const NAMES_MAX = 10_000;
const DONE = Promise.resolve();

export class Signal<Events> {
  readonly #onError: (error: unknown, name: string) => void;
  readonly #limit: ListenerLimit;
  readonly #byName = new Map<string, readonly Entry[]>();
  readonly #byPattern = new Map<string, Set<Entry>>();
  readonly #wild = new Set<Entry>();
  readonly #aborts = new AbortGroups();
  #count = 0;
  #added = 0;
  #isClosed = false;

  constructor({ onError = warnOfError, maxListeners = MAX_LISTENERS }: SignalOptions = {}) {
    this.#onError = onError;
    this.#limit = new ListenerLimit(maxListeners);
  }

  /** Listens to a name or to all that a topic pattern matches. Throws `invalid_pattern`. */
  on<const Name extends string>(name: Name, listener: Listener<Events, Name>, options: ListenOptions = {}): Off {
    return this.#add(name, listener, Number.POSITIVE_INFINITY, options);
  }

  /** The same until it was called once. */
  once<const Name extends string>(name: Name, listener: Listener<Events, Name>, options: ListenOptions = {}): Off {
    return this.#add(name, listener, 1, options);
  }

  onAny(listener: Listener<Events, '#'>, options: ListenOptions = {}): Off {
    return this.on('#', listener, options);
  }

  /** Takes away a listener, or all of the name. */
  off<const Name extends string>(name: Name, listener?: Listener<Events, Name>): void {
    const { canonical } = parsePattern(name, DEFAULT_LIMITS);
    for (const entry of this.#byPattern.get(canonical) ?? []) {
      if (listener === undefined || entry.listener === listener) entry.off();
    }
  }

  /** Calls the listeners. True when there are any. */
  emit<Type extends EventTypeOf<Events>>(name: Type, ...payload: EmittedPayload<Events[Type]>): boolean;
  emit(name: string, payload?: unknown): boolean {
    const entries = this.#byName.get(name) ?? this.#entriesOf(name);
    for (let at = 0; at < entries.length; at++) this.#call(entries[at]!, payload, name);
    return entries.length > 0;
  }

  /** The same, and resolves when what the listeners promised has ended, well or not. */
  emitAsync<Type extends EventTypeOf<Events>>(name: Type, ...payload: EmittedPayload<Events[Type]>): Promise<void>;
  emitAsync(name: string, payload?: unknown): Promise<void> {
    const entries = this.#byName.get(name) ?? this.#entriesOf(name);
    let ends: Promise<unknown>[] | undefined;
    for (let at = 0; at < entries.length; at++) {
      const end = this.#call(entries[at]!, payload, name);
      if (end && ends) ends.push(end);
      else if (end) ends = [end];
    }
    return ends ? Promise.all(ends).then(() => {}) : DONE;
  }

  /** What is emitted from now on, until the iteration is left or aborted. Throws `overloaded` to who reads too slowly. */
  events<const Name extends string>(
    name: Name,
    options: SignalEventsOptions = {},
  ): SignalEvents<Emitted<Events, Name>> {
    const listen = (take: Entry['listener'], end: () => void) =>
      this.#add(name, take, Number.POSITIVE_INFINITY, options, end);
    const events = new SignalEvents<Emitted<Events, Name>>(listen, options);
    if (this.#isClosed) void events.return();
    return events;
  }

  /** Of all names, or those that `emit` of this name would call. */
  listenerCount(name?: string): number {
    return name === undefined ? this.#count : this.#entriesOf(name).length;
  }

  /** Takes all listeners away and ends the iterations. From then on nobody is heard, and who listens is never called. */
  close(): void {
    this.#isClosed = true;
    for (const entries of [...this.#byPattern.values()]) {
      for (const entry of entries) {
        entry.off();
        entry.onClose?.();
      }
    }
  }

  #add(text: string, listener: Entry['listener'], left: number, { signal }: ListenOptions, onClose?: () => void): Off {
    if (typeof listener !== 'function') throw new TypeError(`The listener of ${text} is a function.`);
    const pattern = parsePattern(text, DEFAULT_LIMITS);
    const off = () => {
      if (signal) this.#aborts.remove(signal, end);
      this.#remove(entry);
    };
    const end = () => {
      off();
      onClose?.();
    };
    const entry: Entry = { place: this.#added++, pattern, listener, off, onClose, left };
    const leave = Object.assign(off, { [Symbol.dispose]: off });
    if (signal?.aborted || this.#isClosed) return leave;
    if (signal) this.#aborts.add(signal, end);
    const entries = this.#byPattern.get(pattern.canonical) ?? new Set();
    this.#byPattern.set(pattern.canonical, entries.add(entry));
    if (!isExact(pattern)) this.#wild.add(entry);
    this.#count++;
    this.#forget(pattern);
    this.#limit.added(text, entries.size, listener);
    return leave;
  }

  #remove(entry: Entry): void {
    const { pattern } = entry;
    const entries = this.#byPattern.get(pattern.canonical);
    if (!entries?.delete(entry)) return;
    if (entries.size === 0) this.#byPattern.delete(pattern.canonical);
    this.#wild.delete(entry);
    this.#count--;
    this.#forget(pattern);
  }

  /** A name has its list under both spellings, and under none that mixes them. */
  #forget(pattern: Pattern): void {
    const { canonical } = pattern;
    if (!isExact(pattern)) this.#byName.clear();
    else if (this.#byName.size > 0) {
      this.#byName.delete(canonical);
      this.#byName.delete(canonical.replaceAll('/', '.'));
    }
  }

  #entriesOf(name: string): readonly Entry[] {
    const canonical = canonicalLevels(name);
    const isMixed = canonical !== name && name.includes('/');
    if (isMixed) return this.#byName.get(canonical) ?? this.#entriesOf(canonical);
    const exact = [...(this.#byPattern.get(canonical) ?? [])].filter(({ pattern }) => isExact(pattern));
    const wild = [...this.#wild].filter(({ pattern }) => matchesPattern(pattern, name));
    const entries = [...exact, ...wild].sort((a, b) => a.place - b.place);
    if (this.#byName.size >= NAMES_MAX) this.#byName.clear();
    this.#byName.set(name, entries);
    return entries;
  }

  /** Returns the end of it where that is yet to come. Never throws, and what it returns never rejects. */
  #call(entry: Entry, payload: unknown, name: string): Promise<unknown> | undefined {
    if (entry.left === 0) return undefined;
    if (--entry.left === 0) entry.off();
    try {
      const answer = entry.listener(payload as never, name as never) as Promise<unknown> | undefined;
      if (typeof answer?.then !== 'function') return undefined;
      return answer.then(undefined, (error: unknown) => this.#report(error, name));
    } catch (error) {
      this.#report(error, name);
      return undefined;
    }
  }

  #report(error: unknown, name: string): void {
    try {
      this.#onError(error, name);
    } catch (another) {
      warnOfError(another, name);
    }
  }
}

function warnOfError(error: unknown, name: string): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  emitWarning(`A listener of "${name}" failed: ${words}`, BUS_WARNING);
}
