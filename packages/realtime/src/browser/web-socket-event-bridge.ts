import { type BusEvent, busEvent, type Event, refuseUnknownOptions } from '@event-manager/core';
import { type PageForm, Rollout, type RolloutOptions } from './rollout.ts';

/** An event as pages read it: the same fields as everywhere, under the type that is for them. */
export interface PageEvent extends Omit<Event, 'payload' | 'timestamp'> {
  readonly timestamp: string;
  readonly payload: unknown;
}

export interface BridgeOptions {
  /** The name that pages read for an event type; `false` keeps the type from them. Default: its own. */
  readonly types?: Readonly<Record<string, string | false>> | undefined;
  /** Makes what pages read as payload, by the event type of the bus. Default: the payload as it is. */
  readonly transform?: Readonly<Record<string, (event: BusEvent) => unknown>> | undefined;
  /** The frame that pages of before read. Default: `{type, data, timestamp}`. `id` and `cursor` are added where it has none. */
  readonly legacy?: ((event: PageEvent) => object) | undefined;
  /** Who reads the new form. Default: everybody. */
  readonly rollout?: RolloutOptions | undefined;
}

/** What becomes of an event on its way to the pages of one form. */
export interface BridgedEvent {
  /** `hidden`: not for pages. `failed`: what is sent in its place only says so. */
  readonly status: 'made' | 'hidden' | 'failed';
  readonly shown: string;
  readonly type: string;
  readonly lane: number;
  readonly cursor: string;
  readonly bytes: Uint8Array;
}

const OPTIONS = ['types', 'transform', 'legacy', 'rollout'] satisfies (keyof BridgeOptions)[];
const NOTHING = new Uint8Array();
/** Events that were made already, for the pages to come to them: most are at the same place of the log. */
const MADE_MAX = 1_024;

/**
 * From events of the bus to frames of pages. Each event is made once for each of the two forms, however many pages read it.
 * A function that fails costs its own event and nothing else: pages are told that there was one, which also moves their cursor.
 */
export class WebSocketEventBridge {
  readonly rollout: Rollout;
  readonly #options: BridgeOptions;
  readonly #onFailure: (type: string, error: unknown) => void;
  readonly #made = new Map<string, BridgedEvent>();
  #upcast: (event: Event) => Event = (event) => event;

  /** Throws a TypeError for what cannot be meant: a type that was to be hidden would be shown otherwise. */
  constructor(options: BridgeOptions, onFailure: (type: string, error: unknown) => void) {
    refuseUnknownOptions(options, OPTIONS, 'bridge');
    assertMeant(options);
    this.#options = options;
    this.#onFailure = onFailure;
    this.rollout = new Rollout(options.rollout);
  }

  /** Pages read events in the current version of their type, as handlers do. */
  upcastBy(upcast: (event: Event) => Event): void {
    this.#upcast = upcast;
  }

  bridge(event: Event, cursor: string, form: PageForm): BridgedEvent {
    const key = `${form} ${cursor}`;
    const known = this.#made.get(key);
    if (known) return known;
    const bridged = this.#make(event, cursor, form);
    if (this.#made.size >= MADE_MAX) this.#made.delete(this.#made.keys().next().value!);
    this.#made.set(key, bridged);
    return bridged;
  }

  #make(stored: Event, cursor: string, form: PageForm): BridgedEvent {
    const { types = {}, transform = {} } = this.#options;
    const { type, priority: lane } = stored;
    const shown = Object.hasOwn(types, type) ? types[type]! : type;
    const facts = { type, lane, cursor };
    if (shown === false) return { ...facts, status: 'hidden', shown: type, bytes: NOTHING };
    try {
      const event = this.#upcast(stored);
      const make = Object.hasOwn(transform, type) ? transform[type] : undefined;
      const payload = make ? plain(make(busEvent(event))) : event.payload;
      const text = this.#frame(pageEvent(event, shown, payload), cursor, form);
      return { ...facts, status: 'made', shown, bytes: Buffer.from(text) };
    } catch (error) {
      this.#onFailure(type, error);
      const told = { code: 'conversion_failed', detail: 'The event could not be made readable for pages.' };
      const text = JSON.stringify({ type: 'error', cursor, event: { id: stored.id, type: shown }, error: told });
      return { ...facts, status: 'failed', shown, bytes: Buffer.from(text) };
    }
  }

  #frame(event: PageEvent, cursor: string, form: PageForm): string {
    if (form === 'event') return JSON.stringify({ type: 'event', stream: 'types', cursor, event });
    const { legacy = legacyFrame } = this.#options;
    return JSON.stringify({ id: event.id, cursor, ...(plain(legacy(event)) as object) });
  }
}

function assertMeant({ types = {}, transform = {}, legacy }: BridgeOptions): void {
  for (const [type, name] of Object.entries(types)) {
    const isName = name === false || (typeof name === 'string' && name !== '');
    if (!isName) throw new TypeError(`bridge.types[${JSON.stringify(type)}] is a name for pages, or false.`);
  }
  for (const [type, make] of Object.entries(transform)) {
    if (typeof make !== 'function')
      throw new TypeError(`bridge.transform[${JSON.stringify(type)}] is a function of the event.`);
  }
  if (legacy !== undefined && typeof legacy !== 'function') throw new TypeError('bridge.legacy is a function.');
}

function pageEvent(event: Event, type: string, payload: unknown): PageEvent {
  return { ...event, type, timestamp: event.timestamp.toISOString(), payload };
}

/** As a server wrote it that sent to its sockets directly. */
function legacyFrame({ type, payload, timestamp }: PageEvent): object {
  return { type, data: payload, timestamp };
}

/** A promise would be sent as `{}`, and nothing as no payload at all. */
function plain(value: unknown): unknown {
  if (value === undefined) throw new TypeError('A transforming function has to return something.');
  const isThenable = typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
  if (isThenable) throw new TypeError('A transforming function returns what pages read, and no promise of it.');
  return value;
}
