import {
  canonicalLevels,
  DEFAULT_LIMITS,
  type EventDefinitions,
  EventManagerError,
  type JsonObject,
  type PayloadCheck,
  parseTopic,
  type StandardSchema,
  standardCheck,
} from '@event-manager/core/portable';
import type { EventText } from './event-text.ts';

/** A reason may quote a name out of the schema, which can be as long as the schema. */
const REASON_CHARACTERS_MAX = 500;

/** Schemas of libraries: programs that cannot be sent to a service, so they hold in this one, while it runs. */
export class PayloadChecks {
  readonly #checks = new Map<string, PayloadCheck>();

  /** Throws `invalid_topic` for a type that cannot be a topic. */
  constructor(definitions: EventDefinitions<unknown> | undefined) {
    const schemas = (definitions?.schemas ?? {}) as Readonly<Record<string, StandardSchema>>;
    for (const [type, schema] of Object.entries(schemas)) this.bring(type, schema);
  }

  /** The schema holds from now on, in place of one that was brought for the same topic before. Throws `invalid_topic`. */
  bring(topic: string, schema: StandardSchema): void {
    this.#checks.set(parseTopic(topic, DEFAULT_LIMITS, '/topic'), standardCheck(schema));
  }

  /** `undefined` when the event may go; a promise where that takes time. Throws or rejects with `schema_violation`. */
  run({ topic, text }: EventText): undefined | Promise<void> {
    if (this.#checks.size === 0 || typeof topic !== 'string') return undefined;
    const check = this.#checks.get(canonicalLevels(topic));
    if (!check) return undefined;
    // What it becomes in JSON is what everybody will read.
    const { payload = {} } = JSON.parse(text) as { payload?: JsonObject };
    const violation = check(payload);
    if (violation instanceof Promise) return violation.then((found) => judge(topic, found));
    judge(topic, violation);
    return undefined;
  }
}

function judge(topic: string, violation: Awaited<ReturnType<PayloadCheck>>): void {
  if (!violation) return;
  const reason = violation.reason.slice(0, REASON_CHARACTERS_MAX).toWellFormed();
  const words = `The payload does not fit the schema of its topic: ${reason}`;
  throw new EventManagerError('schema_violation', words, {
    pointer: `/payload${violation.pointer}`,
    topic: canonicalLevels(topic),
  });
}
