import type { SchemaCompiler } from '../contracts/schema-compiler.ts';
import type { Revision } from '../contracts/state-store.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import { jsonSchemaCheck, type PayloadCheck } from './payload-check.ts';
import type { StoredCheck, TopicInfo } from './topic-info.ts';

/** A topic as the state store has it. */
export type KeptTopic = Omit<TopicInfo, 'schema' | 'checked'>;

/** A topic that was declared, with the check that its payloads have to pass. */
export class DeclaredTopic {
  readonly kept: KeptTopic;
  readonly revision: Revision;
  /** Of its record: what it takes in memory. */
  readonly characters: number;
  readonly #compiler: SchemaCompiler | undefined;
  #check: PayloadCheck | undefined;

  constructor(kept: KeptTopic, revision: Revision, compiler: SchemaCompiler | undefined) {
    this.kept = kept;
    this.revision = revision;
    this.characters = JSON.stringify(kept).length;
    this.#compiler = compiler;
  }

  info(checked?: StoredCheck): TopicInfo {
    const latest = this.kept.versions.at(-1);
    return {
      ...this.kept,
      ...(latest === undefined ? {} : { schema: latest.schema }),
      ...(checked === undefined ? {} : { checked }),
    };
  }

  /** Number of the latest version; 0 when the topic has no JSON Schema. */
  get version(): number {
    return this.kept.versions.length;
  }

  /**
   * Made by the first event that needs it: a start with a thousand topics should not wait for all of them. A schema that
   * cannot be compiled here, because there is no compiler or its limits were lowered, lets nothing pass: what a topic promises
   * must not depend on who opened the store.
   */
  get check(): PayloadCheck | undefined {
    const latest = this.kept.versions.at(-1);
    if (latest === undefined) return undefined;
    this.#check ??= this.#compile(latest.schema);
    return this.#check;
  }

  /** The check that was made to see whether the schema can be used. */
  use(check: PayloadCheck): this {
    this.#check = check;
    return this;
  }

  #compile(schema: Parameters<typeof jsonSchemaCheck>[0]): PayloadCheck {
    try {
      return jsonSchemaCheck(schema, this.#compiler);
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      const violation = { pointer: '', reason: `the schema of the topic cannot be used here: ${error.message}` };
      return () => violation;
    }
  }
}
