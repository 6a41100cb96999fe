import type { SchemaViolation } from '../contracts/schema-compiler.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonValue } from '../json.ts';
import type { PayloadCheck } from './payload-check.ts';

/**
 * A schema that may come into force: while stored events are held against it, so is every event that is published. What does
 * not fit is taken, since the schema is not in force, and speaks against the schema.
 */
export class SchemaTrial {
  readonly check: PayloadCheck;
  #refusal: EventManagerError | undefined;
  /** Verdicts that a schema of a library has not given yet. */
  readonly #awaited = new Set<Promise<void>>();

  constructor(check: PayloadCheck) {
    this.check = check;
  }

  observe(payload: JsonValue, eventId: string): void {
    if (this.#refusal) return;
    const violation = this.check(payload);
    if (!(violation instanceof Promise)) {
      this.#note(violation, eventId);
      return;
    }
    const noted: Promise<void> = violation.then((found) => {
      this.#awaited.delete(noted);
      this.#note(found, eventId);
    });
    this.#awaited.add(noted);
  }

  /** Called when nothing more is observed. Throws `schema_incompatible` when an event that was published meanwhile does not fit. */
  async assertFitting(): Promise<void> {
    await Promise.all(this.#awaited);
    if (this.#refusal) throw this.#refusal;
  }

  #note(violation: SchemaViolation | undefined, eventId: string): void {
    if (violation) this.#refusal ??= incompatible(eventId, violation);
  }
}

/** `details.path` is the place in the event, `details.pointer` that in the request. */
export function incompatible(eventId: string, { pointer, reason }: SchemaViolation): EventManagerError {
  const path = `/payload${pointer}`;
  const words = `A stored event does not fit: ${path}: ${reason}`;
  return new EventManagerError('schema_incompatible', words, { pointer: '/schema', eventId, path });
}
