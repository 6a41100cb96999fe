import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { Event, EventIn } from '../../event/event.ts';
import { freezeDeep } from '../../event/revive-event.ts';
import type { JsonObject } from '../../json.ts';

/** One step: what payloads of one version of a type are in the next. */
export interface Upcaster {
  readonly type: string;
  /** `version` of the events that it takes. The bus gives those that say none the current one; elsewhere they have `1.0`. */
  readonly from: string;
  readonly to: string;
  /** Returns the payload in the version `to`. The one it gets is frozen. */
  readonly upcast: (payload: JsonObject, event: Event) => JsonObject;
}

const NUMBERS = /^\d{1,9}(\.\d{1,9})*$/;

interface Chain {
  readonly steps: ReadonlyMap<string, Upcaster>;
  readonly current: string;
}

/**
 * Brings stored events to the current version of their type, step by step, whenever they are read: what is stored stays as it
 * was written. The steps of a type have to be one chain without a gap, which is looked at here and not when the first old event
 * comes. Left alone are types without steps, and events of a version that is newer than all of them (by number: 10.0 is newer than
 * 9.1): whoever deploys one program after the other has those for a while, and they are for the handler to judge.
 */
export class Upcasters {
  readonly #chains: ReadonlyMap<string, Chain>;

  /** Throws TypeError for a version with two ways on, and for steps that do not lead to one version. */
  constructor(steps: readonly Upcaster[]) {
    const byType = Map.groupBy(steps, ({ type }) => type);
    this.#chains = new Map([...byType].map(([type, own]) => [type, chainOf(type, own)]));
  }

  /** The version that events of a type are brought to; `undefined` for a type without steps. */
  currentOf(type: string): string | undefined {
    return this.#chains.get(type)?.current;
  }

  /** An event that says no version is in the form of today, and from now on says so: nobody can take it for an old one. */
  stamp(event: EventIn): EventIn {
    // What is no event is for `accept` to refuse.
    if (this.#chains.size === 0 || typeof event !== 'object' || event === null || event.version !== undefined)
      return event;
    const version = this.currentOf(event.type);
    return version === undefined ? event : { ...event, version };
  }

  /** The event in the current version of its type, or as it is when that is newer. Throws `upcast_failed`. Needs no `this`. */
  readonly upcast = <Payload>(event: Event<Payload>): Event<Payload> => {
    const chain = this.#chains.get(event.type);
    if (!chain || event.version === chain.current || isNewer(event.version, chain)) return event;
    let current = event as Event;
    while (current.version !== chain.current) {
      const step = chain.steps.get(current.version);
      if (!step) throw failed(current, chain, `no upcaster leads from there to ${chain.current}`);
      current = applied(step, current, chain);
    }
    return current as Event<Payload>;
  };
}

/** Only numbers have an order that everybody means. */
function isNewer(version: string, { steps, current }: Chain): boolean {
  if (steps.has(version) || !NUMBERS.test(version) || !NUMBERS.test(current)) return false;
  const own = version.split('.').map(Number);
  const newest = current.split('.').map(Number);
  const at = own.findIndex((number, place) => number !== (newest[place] ?? 0));
  return at >= 0 && own[at]! > (newest[at] ?? 0);
}

function applied(step: Upcaster, event: Event, chain: Chain): Event {
  let payload: JsonObject;
  try {
    payload = step.upcast(event.payload, event);
  } catch (error) {
    throw failed(event, chain, `its upcaster to ${step.to} threw`, error);
  }
  const isPayload = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  // A promise is an object, too, and handlers would get it.
  if (!isPayload || typeof payload['then'] === 'function') throw failed(event, chain, 'its upcaster gave no payload');
  freezeDeep(payload);
  return Object.freeze({ ...event, version: step.to, payload });
}

function failed({ id, type, version }: Event, { current }: Chain, why: string, cause?: unknown): EventManagerError {
  const words = `The event ${id} of type ${type} has the version ${version}, and ${why}.`;
  return new EventManagerError('upcast_failed', words, { eventId: id, type, version, current }, cause);
}

function chainOf(type: string, steps: readonly Upcaster[]): Chain {
  const byFrom = new Map<string, Upcaster>();
  for (const step of steps) {
    if (byFrom.has(step.from)) throw new TypeError(`Two upcasters of ${type} begin at the version ${step.from}.`);
    byFrom.set(step.from, step);
  }
  const ends = [...new Set(steps.map(({ to }) => to))].filter((to) => !byFrom.has(to));
  if (ends.length === 0) throw new TypeError(`The upcasters of ${type} go round in a circle.`);
  if (ends.length > 1) {
    const words = `no upcaster goes on from ${ends.slice(0, -1).join(' and ')}, or it is not needed`;
    throw new TypeError(`The upcasters of ${type} have a gap: they end at ${ends.join(' and ')}; ${words}.`);
  }
  const current = ends[0]!;
  for (const { from } of steps) {
    let at = from;
    for (let left = steps.length; left > 0 && at !== current; left--) at = byFrom.get(at)!.to;
    if (at !== current) throw new TypeError(`The upcasters of ${type} go round in a circle at ${from}.`);
  }
  return { steps: byFrom, current };
}
