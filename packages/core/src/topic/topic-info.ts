import type { JsonValue } from '../json.ts';

/**
 * What a new version of a schema has to be. `backward`: whoever reads with the new version can read what is stored, which is
 * checked on the stored events. `none`: anything.
 */
export type Compatibility = 'backward' | 'none';

/** A topic that was declared. Plain JSON, so that it is the same over the network. */
export interface TopicInfo {
  /** Spelled as it was declared; `/` and `.` are equal. */
  readonly topic: string;
  readonly description?: string;
  readonly compatibility: Compatibility;
  /** The latest version, which payloads have to fit; absent when the topic has no JSON Schema. */
  readonly schema?: JsonValue;
  /** The versions in order; the first is 1. */
  readonly versions: readonly SchemaVersion[];
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** What the last change of the schema found in the log; only in the answer to that change. */
  readonly checked?: StoredCheck;
}

export interface SchemaVersion {
  readonly version: number;
  readonly schema: JsonValue;
  readonly createdAt: string;
}

/** How far stored events were held against a schema. */
export interface StoredCheck {
  /** So many fit, the newest first. */
  readonly events: number;
  /** True when these were all that are stored on the topic. */
  readonly complete: boolean;
}

/**
 * A JSON Schema 2020-12, as an object of any make (literal, TypeBox, what `z.toJSONSchema` gives), or a schema of a library
 * that speaks Standard Schema.
 */
export type TopicSchema = object;

export interface TopicOptions {
  readonly description?: string | undefined;
  /** Default: `backward`. */
  readonly compatibility?: Compatibility | undefined;
}
