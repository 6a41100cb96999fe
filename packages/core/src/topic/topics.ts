/**
 * The operations on topics: declare, look at, give a new version of a schema, forget. A declaration is one state record under the
 * canonical topic, so that processes on one store see the same; schemas of a library live in the process that gave them.
 *
 * A new schema under `backward` promises that what is stored fits. So it is on trial first: every event that is published
 * meanwhile is held against it too, and speaks against it rather than being refused; what was handed in before the trial began
 * is stored before the log is read. It comes into force in the very step that ends the trial, and goes again when an event of
 * the trial did not fit or the commit fails. Processes that share a store do not see each other's trials: between the commit and the hint of it, another
 * process can still store what fits the version before.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { SchemaCompiler } from '../contracts/schema-compiler.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { equalJson } from '../json/equal-json.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isStandardSchema, type StandardSchema } from '../typed/standard-schema.ts';
import { checkStored } from './check-stored.ts';
import type { DeclaredTopic, KeptTopic } from './declared-topic.ts';
import { type Declaration, type NamedDeclaration, parseDeclaration, parseSchemaChange } from './parse-declaration.ts';
import { everyCheck, jsonSchemaCheck, type PayloadCheck, standardCheck } from './payload-check.ts';
import { SchemaTrial } from './schema-trial.ts';
import { parseTopic } from './topic.ts';
import { TopicCatalog } from './topic-catalog.ts';
import type { StoredCheck, TopicInfo } from './topic-info.ts';

const VERSIONS_MAX = 100;
/** A topic's record is written as a whole with each version: so many of the largest schemas may be in it. */
const LARGEST_SCHEMAS_MAX = 16;

export interface TopicsOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly compiler: SchemaCompiler | undefined;
  /** Schemas that this process brings along, by event type. */
  readonly definitions: Readonly<Record<string, StandardSchema>> | undefined;
  /** Resolves when everything handed in so far is stored. */
  readonly stored: () => Promise<void>;
  /** A failure that no caller is there to hear of. */
  readonly onFailure: (error: unknown) => void;
}

/** What an event on a topic has to pass. */
export interface TopicRules {
  readonly isDeclared: boolean;
  /** Version of the JSON Schema; 0 without one. */
  readonly version: number;
  readonly check: PayloadCheck | undefined;
  /** A schema that may come into force. */
  readonly trial: SchemaTrial | undefined;
}

const UNDECLARED: TopicRules = Object.freeze({ isDeclared: false, version: 0, check: undefined, trial: undefined });

export class Topics {
  readonly #options: TopicsOptions;
  readonly #catalog: TopicCatalog;
  /** Of the event types that this process brings along. */
  readonly #own = new Map<string, PayloadCheck>();
  /** The same by type, with the topic where they hold in any case. */
  readonly #ofTypes = new Map<string, { readonly topic: string; readonly check: PayloadCheck }>();
  readonly #standard = new Map<string, PayloadCheck>();
  readonly #trials = new Map<string, SchemaTrial>();
  /** For every topic that is in one of the three above: made when an event asks. */
  readonly #rules = new Map<string, TopicRules | 'not made'>();
  readonly #changing = new Map<string, Promise<unknown>>();
  readonly #refreshing: OneAtATime;
  /** Records on their way into the catalog, of new topics and of others, by their canonical names. */
  readonly #coming = new Map<string, { readonly characters: number; readonly isNew: boolean }>();

  constructor(options: TopicsOptions) {
    const { adapter, compiler, definitions = {}, limits, onFailure } = options;
    this.#options = options;
    const onChange = (canonical: string) => this.#changed(canonical);
    this.#catalog = new TopicCatalog({ state: adapter.state, compiler, onChange });
    for (const [type, schema] of Object.entries(definitions)) {
      if (!isStandardSchema(schema)) throw new TypeError(`The schema of ${type} does not speak Standard Schema.`);
      const topic = parseTopic(type, limits, '/events');
      const check = standardCheck(schema);
      this.#own.set(topic, check);
      this.#ofTypes.set(type, { topic, check });
    }
    for (const [canonical, check] of this.#own) this.#bring(canonical, check);
    this.#refreshing = new OneAtATime(
      () => this.#catalog.refresh(),
      (error) => {
        // The store may be away for a moment; the next hint or look asks again.
        if (!isEventManagerError(error)) onFailure(error);
      },
    );
  }

  /** False while no topic asks anything of its events. */
  get hasRules(): boolean {
    return this.#rules.size > 0;
  }

  async start(): Promise<void> {
    await this.#catalog.refresh();
  }

  /** Somebody else may have changed something. */
  poke(): void {
    this.#refreshing.poke();
  }

  async stop(): Promise<void> {
    await this.#refreshing.stop();
  }

  /** What an event of a type has to pass on a topic that is not the one of its type. */
  checkOfType(type: string, canonical: string): PayloadCheck | undefined {
    const own = this.#ofTypes.get(type);
    return own?.topic === canonical ? undefined : own?.check;
  }

  /** What an event has to pass; asked for every event. */
  rulesOf(canonical: string): TopicRules {
    const known = this.#rules.get(canonical);
    if (known === undefined) return UNDECLARED;
    if (known !== 'not made') return known;
    const declared = this.#catalog.get(canonical);
    const standard = this.#standard.get(canonical);
    const trial = this.#trials.get(canonical);
    const check = everyCheck([declared?.check, standard]);
    const rules = { isDeclared: Boolean(declared ?? standard), version: declared?.version ?? 0, check, trial };
    this.#rules.set(canonical, rules);
    return rules;
  }

  /**
   * Declares a topic. Resolves with the one that is there when it says the same. Throws `topic_conflict` when it says
   * something else, `schema_incompatible` when stored events do not fit, and what `parseDeclaration` throws.
   */
  async create(_principal: Principal, input: unknown): Promise<TopicInfo> {
    const wanted = parseDeclaration(input, this.#options.limits);
    return this.#inTurn(wanted.canonical, () => this.#create(wanted));
  }

  async #create(wanted: NamedDeclaration): Promise<TopicInfo> {
    const { canonical, topic, description, schema, compatibility = 'backward' } = wanted;
    const known = this.#catalog.get(canonical);
    if (known) return this.#attach(known, wanted);
    const now = this.#now();
    const kept: KeptTopic = {
      topic,
      ...(description === undefined ? {} : { description }),
      compatibility,
      versions: schema === undefined ? [] : [{ version: 1, schema, createdAt: now }],
      createdAt: now,
      updatedAt: now,
    };
    try {
      return await this.#change(canonical, wanted, kept, 0);
    } catch (error) {
      if (!isEventManagerError(error, 'revision_conflict')) throw error;
      // Somebody else was faster.
      await this.#catalog.refresh();
      return this.#attach(this.#known(canonical), wanted);
    }
  }

  /**
   * Gives the topic a new version of its schema, which holds for the next event; the schema that it has already changes
   * nothing. Throws `topic_not_found`, `schema_incompatible`, `revision_conflict` when another process does so at once, and what
   * `parseSchemaChange` throws.
   */
  async addSchema(_principal: Principal, topic: string, input: unknown): Promise<TopicInfo> {
    const { limits } = this.#options;
    const canonical = parseTopic(topic, limits, '/topic');
    const wanted = parseSchemaChange(input, limits);
    return this.#inTurn(canonical, () => this.#addSchema(canonical, wanted));
  }

  async #addSchema(canonical: string, wanted: Declaration): Promise<TopicInfo> {
    const { kept, revision } = this.#known(canonical);
    const { description = kept.description, compatibility = kept.compatibility, schema } = wanted;
    const latest = kept.versions.at(-1);
    const isNew = schema !== undefined && !(latest && equalJson(schema, latest.schema));
    if (isNew && kept.versions.length >= VERSIONS_MAX) {
      const words = `A topic has at most ${VERSIONS_MAX} versions of its schema.`;
      throw new EventManagerError('invalid_schema', words, { pointer: '/schema', maximum: VERSIONS_MAX });
    }
    const now = this.#now();
    const versions = isNew
      ? [...kept.versions, { version: kept.versions.length + 1, schema, createdAt: now }]
      : kept.versions;
    const changed: KeptTopic = {
      ...kept,
      ...(description === undefined ? {} : { description }),
      compatibility,
      versions,
      updatedAt: now,
    };
    return this.#change(canonical, wanted, changed, revision);
  }

  /**
   * Forgets a declaration with all versions of its schema; what is stored stays. A schema that this process brought along with the
   * event types goes on to hold. Throws `topic_not_found`, `invalid_topic`.
   */
  async remove(_principal: Principal, topic: string): Promise<void> {
    const canonical = parseTopic(topic, this.#options.limits, '/topic');
    await this.#inTurn(canonical, async () => {
      this.#known(canonical);
      await this.#catalog.remove(canonical);
      this.#bring(canonical, this.#own.get(canonical));
    });
  }

  /** Throws `topic_not_found`, `invalid_topic`. */
  get(_principal: Principal, topic: string): TopicInfo {
    return this.#known(parseTopic(topic, this.#options.limits, '/topic')).info();
  }

  /** In the order of the canonical names. */
  list(principal: Principal): readonly TopicInfo[] {
    return this.page(principal, { limit: this.#catalog.size }).topics;
  }

  /** A page of the list; `next` continues as `after` and is absent on the last page. */
  page(
    _principal: Principal,
    { after = '', limit }: { after?: string | undefined; limit: number },
  ): { topics: readonly TopicInfo[]; next?: string } {
    const { topics, next } = this.#catalog.page(after, limit);
    const infos = topics.map((topic) => topic.info());
    return next === undefined ? { topics: infos } : { topics: infos, next };
  }

  #known(canonical: string): DeclaredTopic {
    const known = this.#catalog.get(canonical);
    if (known) return known;
    throw new EventManagerError('topic_not_found', 'No topic with this name was declared.', { topic: canonical });
  }

  /** The topic is there: what is wanted has to be what it says. A schema of a library is brought along in any case. */
  #attach(known: DeclaredTopic, wanted: NamedDeclaration): TopicInfo {
    const { description, compatibility, schema } = known.info();
    const differs =
      (wanted.schema !== undefined && !(schema !== undefined && equalJson(wanted.schema, schema)) && '/schema') ||
      (wanted.description !== undefined && wanted.description !== description && '/description') ||
      (wanted.compatibility !== undefined && wanted.compatibility !== compatibility && '/compatibility');
    if (differs) {
      const words = 'The topic was declared with something else; a new version of its schema is added to it.';
      throw new EventManagerError('topic_conflict', words, { pointer: differs });
    }
    if (wanted.standard) this.#bring(wanted.canonical, standardCheck(wanted.standard));
    return known.info();
  }

  async #change(canonical: string, wanted: Declaration, kept: KeptTopic, revision: number): Promise<TopicInfo> {
    this.#coming.set(canonical, this.#assertRoom(canonical, kept));
    try {
      return await this.#keep(canonical, wanted, kept, revision);
    } finally {
      this.#coming.delete(canonical);
    }
  }

  async #keep(canonical: string, wanted: Declaration, kept: KeptTopic, revision: number): Promise<TopicInfo> {
    const { schema, standard } = wanted;
    const compiled = schema === undefined ? undefined : jsonSchemaCheck(schema, this.#options.compiler);
    const brought = standard && standardCheck(standard);
    const before = this.#standard.get(canonical);
    const check = everyCheck([compiled, brought]);
    // In force beside the version before, until the commit says whether it stays.
    const enforce = () => this.#bring(canonical, everyCheck([before, check]));
    try {
      const isTried = check && kept.compatibility === 'backward' && this.#options.adapter.supports.query !== 'none';
      const checked = isTried ? await this.#try(canonical, new SchemaTrial(check), enforce) : undefined;
      if (!isTried) enforce();
      await this.#catalog.keep(canonical, kept, revision, compiled);
      this.#bring(canonical, brought ?? before);
      return this.#known(canonical).info(checked);
    } catch (error) {
      this.#bring(canonical, before);
      throw error;
    }
  }

  #assertRoom(canonical: string, kept: KeptTopic): { readonly characters: number; readonly isNew: boolean } {
    const { schemaBytesMax, topicsMax, topicsCharactersMax } = this.#options.limits;
    const coming = [...this.#coming.values()];
    const isNew = this.#catalog.get(canonical) === undefined;
    if (isNew && this.#catalog.size + coming.filter((other) => other.isNew).length >= topicsMax) {
      const words = `There are ${topicsMax} declared topics already.`;
      throw new EventManagerError('too_many_topics', words, { limit: 'topicsMax', maximum: topicsMax });
    }
    const characters = JSON.stringify(kept).length;
    const maximum = LARGEST_SCHEMAS_MAX * schemaBytesMax;
    if (characters > maximum) {
      const words = `The versions of the schema of a topic have at most ${maximum} characters together.`;
      throw new EventManagerError('invalid_schema', words, { pointer: '/schema', maximum });
    }
    const before = this.#catalog.get(canonical)?.characters ?? 0;
    const others = coming.reduce((sum, other) => sum + other.characters, this.#catalog.characters - before);
    if (others + characters <= topicsCharactersMax) return { characters, isNew };
    throw new EventManagerError('too_many_topics', 'The declared topics take as much memory as they may.', {
      limit: 'topicsCharactersMax',
      maximum: topicsCharactersMax,
    });
  }

  /** Throws `schema_incompatible`, perhaps with the schema in force already: what is published next is seen by one of the two. */
  async #try(canonical: string, trial: SchemaTrial, enforce: () => void): Promise<StoredCheck> {
    const { adapter, runtime, stored } = this.#options;
    let checked: StoredCheck;
    this.#trials.set(canonical, trial);
    this.#changed(canonical);
    try {
      await stored();
      checked = await checkStored({ store: adapter.store, runtime, topic: canonical, check: trial.check });
      enforce();
    } finally {
      this.#trials.delete(canonical);
      this.#changed(canonical);
    }
    await trial.assertFitting();
    return checked;
  }

  /** One change of a topic after the other. */
  async #inTurn<Result>(canonical: string, change: () => Promise<Result>): Promise<Result> {
    const before = this.#changing.get(canonical) ?? Promise.resolve();
    const turn = before.then(change, change);
    this.#changing.set(canonical, turn);
    try {
      return await turn;
    } finally {
      if (this.#changing.get(canonical) === turn) this.#changing.delete(canonical);
    }
  }

  #bring(canonical: string, check: PayloadCheck | undefined): void {
    if (check) this.#standard.set(canonical, check);
    else this.#standard.delete(canonical);
    this.#changed(canonical);
  }

  #changed(canonical: string): void {
    const isKnown = [this.#catalog, this.#standard, this.#trials].some((known) => known.get(canonical) !== undefined);
    if (isKnown) this.#rules.set(canonical, 'not made');
    else this.#rules.delete(canonical);
  }

  #now(): string {
    return new Date(this.#options.runtime.clock.wallMs()).toISOString();
  }
}
