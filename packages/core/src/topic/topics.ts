/**
 * The operations on topics: declare, look at, give a new version of a schema. A declaration is one state record under the
 * canonical topic, so that processes on one store see the same; schemas of a library live in the process that gave them.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { SchemaCompiler } from '../contracts/schema-compiler.ts';
import type { StateEntry } from '../contracts/state-store.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { equalJson } from '../json/equal-json.ts';
import type { JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isStandardSchema, type StandardSchema } from '../typed/standard-schema.ts';
import { checkStored } from './check-stored.ts';
import { bothChecks, DeclaredTopic, type KeptTopic } from './declared-topic.ts';
import { type Declaration, type NamedDeclaration, parseDeclaration, parseSchemaChange } from './parse-declaration.ts';
import { jsonSchemaCheck, type PayloadCheck, standardCheck } from './payload-check.ts';
import { parseTopic } from './topic.ts';
import type { StoredCheck, TopicInfo } from './topic-info.ts';

const PAGE = 1_000;
const VERSIONS_MAX = 100;

export interface TopicsOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly compiler: SchemaCompiler | undefined;
  /** Schemas that this process brings along, by event type. */
  readonly definitions: Readonly<Record<string, StandardSchema>> | undefined;
  /** A failure that no caller is there to hear of. */
  readonly onFailure: (error: unknown) => void;
}

/** What an event on a topic has to pass. */
export interface TopicRules {
  readonly isDeclared: boolean;
  /** Version of the JSON Schema; 0 without one. */
  readonly version: number;
  readonly check: PayloadCheck | undefined;
}

const UNDECLARED: TopicRules = Object.freeze({ isDeclared: false, version: 0, check: undefined });

export class Topics {
  readonly #options: TopicsOptions;
  readonly #declared = new Map<string, DeclaredTopic>();
  readonly #standard = new Map<string, PayloadCheck>();
  readonly #rules = new Map<string, TopicRules>();
  readonly #refreshing: OneAtATime;

  constructor(options: TopicsOptions) {
    this.#options = options;
    for (const [type, schema] of Object.entries(options.definitions ?? {})) {
      if (!isStandardSchema(schema)) throw new TypeError(`The schema of ${type} does not speak Standard Schema.`);
      this.#standard.set(parseTopic(type, options.limits, '/events'), standardCheck(schema));
    }
    this.#refreshing = new OneAtATime(() => this.#refresh(), options.onFailure);
  }

  /** False while no topic asks anything of its events. */
  get hasRules(): boolean {
    return this.#declared.size > 0 || this.#standard.size > 0;
  }

  async start(): Promise<void> {
    await this.#refresh();
  }

  /** Somebody else may have changed something. */
  poke(): void {
    this.#refreshing.poke();
  }

  async stop(): Promise<void> {
    await this.#refreshing.stop();
  }

  /** What an event has to pass; asked for every event. */
  rulesOf(canonical: string): TopicRules {
    const known = this.#rules.get(canonical);
    if (known) return known;
    const declared = this.#declared.get(canonical);
    const standard = this.#standard.get(canonical);
    // Not remembered: topics that nobody declared are as many as publishers think of.
    if (!declared && !standard) return UNDECLARED;
    const check = bothChecks(declared?.check, standard);
    const rules = { isDeclared: true, version: declared?.version ?? 0, check };
    this.#rules.set(canonical, rules);
    return rules;
  }

  /**
   * Declares a topic. Resolves with the one that is there when it says the same. Throws `topic_conflict` when it says
   * something else, `schema_incompatible` when stored events do not fit, and what `parseDeclaration` throws.
   */
  async create(_principal: Principal, input: unknown): Promise<TopicInfo> {
    const wanted = parseDeclaration(input, this.#options.limits);
    const known = this.#declared.get(wanted.canonical);
    if (known) return this.#attach(known, wanted);
    const maximum = this.#options.limits.topicsMax;
    if (this.#declared.size >= maximum) {
      const words = `There are ${maximum} declared topics already.`;
      throw new EventManagerError('too_many_topics', words, { limit: 'topicsMax', maximum });
    }
    const check = this.#compile(wanted);
    const compatibility = wanted.compatibility ?? 'backward';
    const checked = await this.#checkStored(wanted.canonical, compatibility, check, wanted.standard);
    const now = this.#now();
    const { topic, description, schema } = wanted;
    const kept: KeptTopic = {
      topic,
      ...(description === undefined ? {} : { description }),
      compatibility,
      versions: schema === undefined ? [] : [{ version: 1, schema, createdAt: now }],
      createdAt: now,
      updatedAt: now,
    };
    try {
      await this.#keep(wanted.canonical, kept, 0, check);
    } catch (error) {
      if (!isEventManagerError(error, 'revision_conflict')) throw error;
      // Somebody else was faster.
      await this.#refresh();
      return this.#attach(this.#known(wanted.canonical), wanted);
    }
    this.#bring(wanted.canonical, wanted.standard);
    return this.#known(wanted.canonical).info(checked);
  }

  /**
   * Gives the topic a new version of its schema, which holds for the next event. Throws `topic_not_found`,
   * `schema_incompatible`, `revision_conflict` when two do so at once, and what `parseSchemaChange` throws.
   */
  async addSchema(_principal: Principal, topic: string, input: unknown): Promise<TopicInfo> {
    const { limits } = this.#options;
    const canonical = parseTopic(topic, limits, '/topic');
    const wanted = parseSchemaChange(input, limits);
    const { kept, revision } = this.#known(canonical);
    if (wanted.schema !== undefined && kept.versions.length >= VERSIONS_MAX) {
      const words = `A topic has at most ${VERSIONS_MAX} versions of its schema.`;
      throw new EventManagerError('invalid_schema', words, { pointer: '/schema', maximum: VERSIONS_MAX });
    }
    const check = this.#compile(wanted);
    const compatibility = wanted.compatibility ?? kept.compatibility;
    const checked = await this.#checkStored(canonical, compatibility, check, wanted.standard);
    const now = this.#now();
    const { description, schema } = wanted;
    const added = schema === undefined ? [] : [{ version: kept.versions.length + 1, schema, createdAt: now }];
    const changed: KeptTopic = {
      ...kept,
      ...(description === undefined ? {} : { description }),
      compatibility,
      versions: [...kept.versions, ...added],
      updatedAt: now,
    };
    await this.#keep(canonical, changed, revision, check);
    this.#bring(canonical, wanted.standard);
    return this.#known(canonical).info(checked);
  }

  /** Throws `topic_not_found`, `invalid_topic`. */
  get(_principal: Principal, topic: string): TopicInfo {
    return this.#known(parseTopic(topic, this.#options.limits, '/topic')).info();
  }

  /** In the order of the canonical names. */
  list(_principal: Principal): readonly TopicInfo[] {
    return this.page(_principal, { limit: Number.POSITIVE_INFINITY }).topics;
  }

  /** A page of the list; `next` continues as `after` and is absent on the last page. */
  page(
    _principal: Principal,
    { after = '', limit }: { after?: string | undefined; limit: number },
  ): { topics: readonly TopicInfo[]; next?: string } {
    const names = [...this.#declared.keys()].filter((name) => name > after).sort();
    const found = names.slice(0, limit);
    const topics = found.map((name) => this.#known(name).info());
    return found.length < names.length ? { topics, next: found.at(-1)! } : { topics };
  }

  #known(canonical: string): DeclaredTopic {
    const known = this.#declared.get(canonical);
    if (known) return known;
    throw new EventManagerError('topic_not_found', 'No topic with this name was declared.', { topic: canonical });
  }

  /** The topic is there: what is wanted has to be what it says. A schema of a library is brought along in any case. */
  async #attach(known: DeclaredTopic, wanted: NamedDeclaration): Promise<TopicInfo> {
    const { description, compatibility, schema } = known.info();
    const differs =
      (wanted.schema !== undefined && !(schema !== undefined && equalJson(wanted.schema, schema)) && '/schema') ||
      (wanted.description !== undefined && wanted.description !== description && '/description') ||
      (wanted.compatibility !== undefined && wanted.compatibility !== compatibility && '/compatibility');
    if (differs) {
      const words = 'The topic was declared with something else; a new version of its schema is added to it.';
      throw new EventManagerError('topic_conflict', words, { pointer: differs });
    }
    this.#bring(wanted.canonical, wanted.standard);
    return known.info();
  }

  #compile({ schema }: Declaration): PayloadCheck | undefined {
    return schema === undefined ? undefined : jsonSchemaCheck(schema, this.#options.compiler);
  }

  async #checkStored(
    canonical: string,
    compatibility: TopicInfo['compatibility'],
    compiled: PayloadCheck | undefined,
    standard: StandardSchema | undefined,
  ): Promise<StoredCheck | undefined> {
    const check = bothChecks(compiled, standard && standardCheck(standard));
    const { adapter, runtime } = this.#options;
    if (!check || compatibility === 'none' || adapter.supports.query === 'none') return undefined;
    return checkStored({ store: adapter.store, runtime, topic: canonical, check });
  }

  async #keep(canonical: string, kept: KeptTopic, ifRevision: number, check: PayloadCheck | undefined): Promise<void> {
    const { adapter, compiler } = this.#options;
    const value = kept as unknown as JsonValue;
    const revision = await adapter.state.commit([{ kind: 'topic', key: canonical, value, ifRevision }]);
    const declared = new DeclaredTopic(kept, revision, compiler);
    this.#set(canonical, check ? declared.use(check) : declared);
  }

  #bring(canonical: string, standard: StandardSchema | undefined): void {
    if (!standard) return;
    this.#standard.set(canonical, standardCheck(standard));
    this.#rules.delete(canonical);
  }

  #set(canonical: string, declared: DeclaredTopic): void {
    const known = this.#declared.get(canonical);
    // A refresh that began before a change may end after it.
    if (known && known.revision >= declared.revision) return;
    this.#declared.set(canonical, declared);
    this.#rules.delete(canonical);
  }

  /** Topics are never removed, so what the store has is all that there is to learn. */
  async #refresh(): Promise<void> {
    const { adapter, compiler } = this.#options;
    let after: string | undefined;
    do {
      const page = await adapter.state.load('topic', { ...(after === undefined ? {} : { after }), limit: PAGE });
      for (const { key, value, revision } of page.entries as readonly StateEntry[]) {
        this.#set(key, new DeclaredTopic(value as unknown as KeptTopic, revision, compiler));
      }
      after = page.next;
    } while (after !== undefined);
  }

  #now(): string {
    return new Date(this.#options.runtime.clock.wallMs()).toISOString();
  }
}
