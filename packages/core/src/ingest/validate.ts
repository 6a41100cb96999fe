/**
 * The step that holds an event against what its topic asks: that the topic was declared, where the bus is strict, and that the
 * payload fits the latest version of the schema. It stands behind `normalize`, because only then the payload is what everybody
 * will read: a `Date` is a text, and the topic has its canonical form.
 *
 * Schemas that the process brings along are those of event types: an event has to fit the one of its type on whatever topic it is.
 *
 * An event says in `version` what its publisher calls its payload; it chooses no schema by it. With backward compatibility the
 * latest version takes what older publishers send, and a publisher that could choose could keep an old mistake alive for ever.
 */
import type { Appendable, EventStore } from '../contracts/event-store.ts';
import type { SchemaViolation } from '../contracts/schema-compiler.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { decodeStoredEvent } from '../event/decode-event.ts';
import { sameContent } from '../event/same-content.ts';
import type { JsonValue } from '../json.ts';
import type { Principal } from '../principal.ts';
import type { Clock } from '../runtime/clock.ts';
import { everyCheck, type PayloadCheck } from '../topic/payload-check.ts';
import type { TopicRules, Topics } from '../topic/topics.ts';
import { Rejections } from './rejections.ts';

/** A reason may quote a name out of the schema, which can be as long as the schema. */
const REASON_CHARACTERS_MAX = 500;

export interface ValidateRequest {
  readonly principal: Principal;
  readonly event: Appendable;
  /** What was handed in; its payload is the stored one when `trusted`. */
  readonly input: unknown;
  /** True when core's `parseJson` made the input. */
  readonly trusted: boolean;
  /** JSON pointer of the event in the caller's input. */
  readonly pointer: string;
}

export class Validate {
  readonly rejections = new Rejections();
  readonly #topics: Topics;
  readonly #isStrict: boolean;
  readonly #store: EventStore;
  readonly #clock: Clock;

  constructor(options: { topics: Topics; isStrict: boolean; store: EventStore; clock: Clock }) {
    this.#topics = options.topics;
    this.#isStrict = options.isStrict;
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /**
   * `undefined` when the event may be stored; a promise where that takes time. Throws or rejects with `topic_not_declared` and
   * `schema_violation`, and counts them.
   */
  run(request: ValidateRequest): undefined | Promise<void> {
    // The hot path: nothing was declared.
    if (!this.#isStrict && !this.#topics.hasRules) return undefined;
    // What the bus says about itself, or repeats under a dead-letter topic, is owed whatever the topic asks.
    if (request.principal.kind === 'system') return undefined;
    const rules = this.#topics.rulesOf(request.event.topic);
    if (this.#isStrict && !rules.isDeclared) throw this.#noted(request, notDeclared(request));
    const check = everyCheck([rules.check, this.#topics.checkOfType(request.event.type, request.event.topic)]);
    if (!check && !rules.trial) return undefined;
    const payload = payloadOf(request);
    const violation = check?.(payload);
    if (violation) return this.#judge(request, payload, rules, violation);
    rules.trial?.observe(payload, request.event.id);
    return undefined;
  }

  async #judge(
    request: ValidateRequest,
    payload: JsonValue,
    rules: TopicRules,
    verdict: ReturnType<PayloadCheck>,
  ): Promise<void> {
    const violation = await verdict;
    if (violation) {
      if (await this.#isKnown(request.event)) return;
      throw this.#noted(request, violates(request, rules, violation));
    }
    // A schema of a library takes its time: by now another one may be on trial or in force.
    const now = this.#topics.rulesOf(request.event.topic);
    if (now.check && now.check !== rules.check) {
      await this.#judge(request, payload, now, now.check(payload));
      return;
    }
    now.trial?.observe(payload, request.event.id);
  }

  /** A publisher that repeats an event which was stored before the schema came is told that it is there. */
  async #isKnown({ id, body }: Appendable): Promise<boolean> {
    const [stored] = await this.#store.get([id]);
    return stored !== undefined && sameContent(stored.body, body);
  }

  #noted({ principal, event, pointer }: ValidateRequest, error: EventManagerError): EventManagerError {
    // What batch it was in only its publisher knows.
    const place = error.details.pointer!.slice(pointer.length);
    this.rejections.note({ principal, event, error, pointer: place, wallMs: this.#clock.wallMs() });
    return error;
  }
}

/** Objects of a caller are read from the encoded body: what they become there is what counts. */
function payloadOf({ event, input, trusted }: ValidateRequest): JsonValue {
  if (!trusted) return decodeStoredEvent(event.body).payload;
  return (input as { readonly payload?: JsonValue }).payload ?? {};
}

function notDeclared({ event, pointer }: ValidateRequest): EventManagerError {
  const words = 'The topic was not declared, and this bus takes events on declared topics alone.';
  return new EventManagerError('topic_not_declared', words, { pointer: `${pointer}/topic`, topic: event.topic });
}

function violates(
  { event, pointer }: ValidateRequest,
  rules: TopicRules,
  violation: SchemaViolation,
): EventManagerError {
  const reason = violation.reason.slice(0, REASON_CHARACTERS_MAX).toWellFormed();
  const words = `The payload does not fit the schema of its ${rules.check ? 'topic' : 'type'}: ${reason}`;
  const version = rules.version === 0 ? {} : { schemaVersion: rules.version };
  const details = { pointer: `${pointer}/payload${violation.pointer}`, topic: event.topic, ...version };
  return new EventManagerError('schema_violation', words, details);
}
