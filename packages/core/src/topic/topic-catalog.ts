import type { SchemaCompiler } from '../contracts/schema-compiler.ts';
import type { Revision, StateStore } from '../contracts/state-store.ts';
import type { JsonValue } from '../json.ts';
import { statePages } from '../state-pages.ts';
import { DeclaredTopic, type KeptTopic } from './declared-topic.ts';
import type { PayloadCheck } from './payload-check.ts';

/** The declared topics as the state store has them, by their canonical names. */
export class TopicCatalog {
  readonly #state: StateStore;
  readonly #compiler: SchemaCompiler | undefined;
  readonly #onChange: (canonical: string) => void;
  readonly #topics = new Map<string, DeclaredTopic>();
  /** Changed here since the refresh under way began: what it read may be older. */
  readonly #changedHere = new Set<string>();
  #characters = 0;
  /** In their order; made when somebody asks. */
  #names: readonly string[] | undefined;

  constructor(options: {
    state: StateStore;
    compiler: SchemaCompiler | undefined;
    onChange: (canonical: string) => void;
  }) {
    this.#state = options.state;
    this.#compiler = options.compiler;
    this.#onChange = options.onChange;
  }

  get size(): number {
    return this.#topics.size;
  }

  /** Of all topics together. */
  get characters(): number {
    return this.#characters;
  }

  get(canonical: string): DeclaredTopic | undefined {
    return this.#topics.get(canonical);
  }

  /** `next` continues as `after` and is absent on the last page. */
  page(after: string, limit: number): { topics: readonly DeclaredTopic[]; next?: string } {
    this.#names ??= [...this.#topics.keys()].sort();
    const first = after === '' ? 0 : this.#names.findIndex((name) => name > after);
    const names = first < 0 ? [] : this.#names.slice(first, first + limit);
    const topics = names.map((name) => this.#topics.get(name)!);
    return first >= 0 && first + limit < this.#names.length ? { topics, next: names.at(-1)! } : { topics };
  }

  /** Creates (`ifRevision` 0) or replaces a topic. Throws `revision_conflict` when somebody else was faster. */
  async keep(canonical: string, kept: KeptTopic, ifRevision: Revision, check: PayloadCheck | undefined): Promise<void> {
    const value = kept as unknown as JsonValue;
    const revision = await this.#state.commit([{ kind: 'topic', key: canonical, value, ifRevision }]);
    const topic = new DeclaredTopic(kept, revision, this.#compiler);
    // Made already, to see whether the schema can be used; none when only something else of the topic changed.
    this.#set(canonical, check ? topic.use(check) : topic);
    this.#changedHere.add(canonical);
  }

  /** Whoever creates it again begins anew. */
  async remove(canonical: string): Promise<void> {
    await this.#state.commit([{ kind: 'topic', key: canonical }]);
    this.#drop(canonical);
    this.#changedHere.add(canonical);
  }

  /** Reads all that others may have changed. */
  async refresh(): Promise<void> {
    const seen = new Set<string>();
    this.#changedHere.clear();
    for await (const page of statePages(this.#state, 'topic')) {
      for (const { key, value, revision } of page) {
        seen.add(key);
        if (this.#changedHere.has(key)) continue;
        this.#set(key, new DeclaredTopic(value as unknown as KeptTopic, revision, this.#compiler));
      }
    }
    for (const canonical of [...this.#topics.keys()]) {
      if (!seen.has(canonical) && !this.#changedHere.has(canonical)) this.#drop(canonical);
    }
  }

  #drop(canonical: string): void {
    const known = this.#topics.get(canonical);
    if (!known) return;
    this.#topics.delete(canonical);
    this.#names = undefined;
    this.#characters -= known.characters;
    this.#onChange(canonical);
  }

  #set(canonical: string, topic: DeclaredTopic): void {
    const known = this.#topics.get(canonical);
    // A refresh that began before a change may end after it.
    if (known && known.revision >= topic.revision) return;
    if (!known) this.#names = undefined;
    this.#characters += topic.characters - (known?.characters ?? 0);
    this.#topics.set(canonical, topic);
    this.#onChange(canonical);
  }
}
