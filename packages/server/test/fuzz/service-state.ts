import type { Answered, Sent } from './fuzz-client.ts';
import type { Known } from './good-data.ts';
import type { Route } from './openapi-document.ts';

/** More would be a load test: each is owed every event that matches. */
const SUBSCRIPTIONS_MAX = 3;
const EVENTS_MAX = 200;
/** Uses of a subscription whose deliveries are asked for. */
const PULLS: ReadonlySet<string> = new Set(['pull', 'ack', 'nack', 'extend']);
const LONG_MS = 24 * 60 * 60 * 1_000;

/** What the fuzz knows to be in the service: ids that exist, a cursor, an endpoint that may be called. */
export class ServiceState implements Known {
  readonly #endpoint: string;
  readonly #events: string[];
  readonly #topics: string[] = [];
  readonly #contexts = ['aas', 'b%2Fc', 'd%20e'];
  readonly #projections: string[];
  readonly #known: ReadonlyMap<string, readonly string[]>;
  readonly #cursors: Map<string, string>;
  readonly #subscriptions: string[] = [];
  readonly #pulled = new Set<string>();
  readonly #withoutWebhook = new Set<string>();
  readonly #scheduled: string[];
  /** A subscription with an endpoint that nobody deletes. */
  readonly #webhook: string;
  /** One that goes on for ever, and one that was cancelled. */
  readonly #runs: { readonly held: string; readonly cancelled: string };

  constructor(facts: {
    endpoint: string;
    cursors: ReadonlyMap<string, string>;
    deadLetters: readonly string[];
    events: readonly string[];
    scheduled: readonly string[];
    runs: { readonly held: string; readonly cancelled: string };
    webhook: string;
    projections: readonly string[];
  }) {
    this.#runs = facts.runs;
    this.#webhook = facts.webhook;
    this.#endpoint = facts.endpoint;
    this.#cursors = new Map(facts.cursors);
    this.#events = [...facts.events];
    this.#scheduled = [...facts.scheduled];
    this.#projections = [...facts.projections];
    this.#known = new Map<string, readonly string[]>([
      ['events', this.#events],
      ['subscriptions', this.#subscriptions],
      ['topics', this.#topics],
      ['contexts', this.#contexts],
      ['dead-letters', facts.deadLetters],
      ['scheduled', this.#scheduled],
      ['projections', this.#projections],
    ]);
  }

  cursor(format: string): string {
    return this.#cursors.get(format)!;
  }

  endpoint(): string {
    return this.#endpoint;
  }

  subscription(): string {
    return 'held';
  }

  get isFull(): boolean {
    return this.#subscriptions.length > SUBSCRIPTIONS_MAX;
  }

  /** True when one may go and another can still be asked for. */
  hasSeveral(path: string): boolean {
    return this.#known.get(path.split('/')[1]!)!.length > 1;
  }

  takeOldest(): string {
    return this.#subscriptions.shift()!;
  }

  /** An id that this address knows; `undefined` when there is none yet. */
  idFor(path: string, pick: (count: number) => number): string | undefined {
    const [, kind, , use] = path.split('/');
    const all = this.#known.get(kind!) ?? [];
    // A webhook is tried and may move; what is pulled has nothing of the kind, and only that is pulled.
    const ids = use === 'test' || use === undefined ? all.filter((id) => !this.#pulled.has(id)) : all;
    if (use === 'test')
      return (
        this.#pickOf(
          ids.filter((id) => !this.#withoutWebhook.has(id)),
          pick,
        ) ?? this.#webhook
      );
    if (kind === 'runs') return use === 'cancel' ? this.#runs.cancelled : this.#runs.held;
    if (PULLS.has(use ?? '')) return this.#pullable(pick);
    return ids[pick(ids.length)];
  }

  #pickOf(ids: readonly string[], pick: (count: number) => number): string | undefined {
    return ids[pick(ids.length)];
  }

  /** Only a webhook, be it a fallback, can be sent a test event. */
  #noteWay({ text }: Answered): void {
    const { id, connectionType, fallback } = JSON.parse(text) as {
      id: string;
      connectionType: string;
      fallback?: object;
    };
    if (connectionType === 'webhook' || fallback) this.#withoutWebhook.delete(id);
    else this.#withoutWebhook.add(id);
  }

  #pullable(pick: (count: number) => number): string | undefined {
    const ids = this.#subscriptions.filter((id) => this.#pulled.has(id));
    return ids[pick(ids.length)];
  }

  note({ method, path }: Route, sent: Sent, answer: Answered): void {
    if (method === 'DELETE' && answer.status === 204) {
      for (const known of [this.#subscriptions, this.#topics, this.#contexts, this.#projections]) {
        const gone = known.indexOf(sent.path.split('/')[2]!);
        if (gone >= 0) known.splice(gone, 1);
      }
    }
    if (method === 'DELETE' && path.startsWith('/scheduled/')) {
      const gone = this.#scheduled.indexOf(sent.path.split('/')[2]!);
      if (gone >= 0) this.#scheduled.splice(gone, 1);
    }
    if (method === 'POST' && path === '/events' && answer.status === 202) {
      const { id, scheduledFor } = JSON.parse(answer.text) as { id: string; scheduledFor: string };
      // One that is due during the run would be gone when it is asked for.
      if (Date.parse(scheduledFor) > Date.now() + LONG_MS) this.#scheduled.push(id);
    }
    if (path.startsWith('/contexts/') && answer.status === 201) this.#contexts.push(sent.path.split('/')[2]!);
    if (path.startsWith('/subscriptions') && method === 'PATCH' && answer.status === 200) this.#noteWay(answer);
    if (method !== 'POST' || answer.status !== 201) return;
    const body = JSON.parse(answer.text) as { id: string; cursor: string; topic: string; connectionType?: string };
    if (path === '/subscriptions') this.#subscriptions.push(body.id);
    if (path === '/subscriptions' && body.connectionType === 'pull') this.#pulled.add(body.id);
    if (path === '/subscriptions') this.#noteWay(answer);
    if (path === '/topics') this.#topics.push(encodeURIComponent(body.topic));
    if (path === '/events') {
      this.#cursors.set('events-cursor', body.cursor);
      this.#events.push(body.id);
      if (this.#events.length > EVENTS_MAX) this.#events.shift();
    }
  }
}
