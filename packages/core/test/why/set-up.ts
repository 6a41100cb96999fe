import { ANONYMOUS, type JsonObject, type Outcome, type Sink } from '@event-manager/core';
import type { EngineUnderTest, SetUp } from '../open-engine.ts';
import { anEvent, fixedRetry } from '../open-engine.ts';
import type { Hold, Mismatch, Situation, Stand } from './situations.ts';

const ENDPOINT = 'https://receiver.example/hook';
const SOCKET = 'wss://receiver.example/events';
const HOUR_MS = 3_600_000;
const EXPIRES_AFTER_MS = 30_000;
const FAILED: Outcome = { status: 'retry', error: { code: 'http_503', message: 'No.' } };
const DELIVERED: Outcome = { status: 'delivered' };

/** The receiver that a situation needs: it answers by what the payload asks for. */
class Receiver {
  isUp = true;
  /** Events that fail, by their names; everything else is delivered. */
  readonly answers = new Map<string, Outcome | 'hang'>();
  #tell: () => void = () => {};

  readonly sink: Sink = {
    deliver: async (batch) => {
      const outcomes = batch.map(({ record }) => {
        const { payload } = JSON.parse(Buffer.from(record.body).toString()) as { payload: { name: string } };
        return this.answers.get(payload.name) ?? DELIVERED;
      });
      if (outcomes.includes('hang')) return new Promise(() => {});
      return outcomes as Outcome[];
    },
    close: async () => {},
    watch: (tell) => {
      this.#tell = tell;
    },
  };

  constructor() {
    Object.defineProperty(this.sink, 'isUp', { get: () => this.isUp });
  }

  disconnect(): void {
    this.isUp = false;
    this.#tell();
  }
}

/** Puts a bus into a situation, and says whom to ask about which event. */
export class SituationSetUp {
  readonly receiver = new Receiver();
  readonly #situation: Situation;
  #bus!: EngineUnderTest;
  #id = '';

  constructor(situation: Situation) {
    this.#situation = situation;
  }

  /** How the processes have to be opened. */
  get options(): SetUp {
    const { hold } = this.#situation;
    const sink = () => this.receiver.sink;
    return { webhookSink: sink, webSocketSink: sink, ...(hold === 'debts' ? { limits: { owedMax: 1 } } : {}) };
  }

  async run(bus: EngineUnderTest): Promise<{ subscriptionId: string; eventId: string }> {
    const { stand, hold, mismatches, expired } = this.#situation;
    this.#bus = bus;
    const isBefore = mismatches.includes('before-start');
    const early = isBefore ? await this.#publish('E', this.#fields()) : undefined;
    this.#id = await this.#subscribe();
    if (stand === 'fresh') {
      await this.#hold(hold);
      const eventId = early ?? (await this.#publish('E', this.#fields()));
      await this.#settle(expired ? EXPIRES_AFTER_MS + 1_000 : 1_000);
      return { subscriptionId: this.#id, eventId };
    }
    const eventId = await this.#stand(stand);
    if (mismatches.length > 0) await this.#update();
    if (stand === 'withdrawn') await bus.time.advance(HOUR_MS);
    await this.#hold(hold);
    await this.#settle(expired ? EXPIRES_AFTER_MS + 1_000 : 1_000);
    return { subscriptionId: this.#id, eventId };
  }

  async #stand(stand: Exclude<Stand, 'fresh'>): Promise<string> {
    const { answers } = this.receiver;
    const later = { ...this.#expiry() };
    switch (stand) {
      case 'delivered':
        return this.#published('E', later);
      case 'delivered-late': {
        answers.set('E', FAILED);
        const eventId = await this.#published('E', later);
        answers.delete('E');
        await this.#bus.time.advance(HOUR_MS);
        return eventId;
      }
      case 'dead-letter':
        answers.set('E', { status: 'reject', error: { code: 'refused', message: 'Never.' } });
        return this.#published('E', later);
      case 'retry':
      case 'withdrawn':
        answers.set('E', FAILED);
        return this.#published('E', later);
      case 'under-way':
        answers.set('E', 'hang');
        return this.#published('E', later);
      case 'lane':
        answers.set('first', 'hang');
        await this.#published('first');
        return this.#published('E', later);
      case 'key-blocked':
        answers.set('first', FAILED);
        await this.#published('first', { orderingKey: 'k' });
        return this.#published('E', { orderingKey: 'k', ...later });
      case 'key-parked':
        answers.set('first', { status: 'reject', error: { code: 'refused', message: 'Never.' } });
        await this.#published('first', { orderingKey: 'k' });
        return this.#published('E', { orderingKey: 'k', ...later });
    }
  }

  async #hold(hold: Hold): Promise<void> {
    const { subscriptions } = this.#bus.engine;
    const { answers } = this.receiver;
    switch (hold) {
      case 'paused':
        await this.#bus.time.run(subscriptions.pause(ANONYMOUS, this.#id));
        return;
      case 'detached':
        await this.#bus.time.run(subscriptions.detach(ANONYMOUS, this.#id));
        return;
      case 'not-connected':
        this.receiver.disconnect();
        return;
      case 'stopped':
        answers.set('prime', { status: 'gone', error: { code: 'http_410', message: 'Gone.' } });
        break;
      case 'busy':
        answers.set('prime', { status: 'busy', afterMs: HOUR_MS });
        break;
      case 'breaker':
      case 'debts':
        answers.set('prime', FAILED);
        break;
      case 'rate':
        break;
      default:
        return;
    }
    await this.#published('prime', { orderingKey: 'prime' });
  }

  /** Everything that an event has is what is wanted, unless the situation says otherwise. */
  #fields(): JsonObject {
    const { mismatches } = this.#situation;
    const has = (mismatch: Mismatch) => mismatches.includes(mismatch);
    return {
      ...(has('topic') ? { topic: 'elsewhere/x' } : {}),
      ...(has('priority') ? { priority: 'LOW' } : {}),
      ...(has('filter') ? { source: 'stranger' } : {}),
      ...(has('relevance') ? { projectId: 'p2' } : {}),
      ...this.#expiry(),
    };
  }

  #expiry(): JsonObject {
    if (!this.#situation.expired) return {};
    return { expiresAt: new Date(this.#bus.time.wallMs() + EXPIRES_AFTER_MS).toISOString() };
  }

  async #published(name: string, fields: JsonObject = {}): Promise<string> {
    const id = await this.#publish(name, fields);
    await this.#bus.time.advance(300);
    return id;
  }

  async #publish(name: string, fields: JsonObject): Promise<string> {
    const { topic = 'shop/orders', priority = 'HIGH', source = 'shop', projectId = 'p1', ...metadata } = fields;
    const event = { topic, priority, source, payload: { name }, metadata: { projectId, ...metadata } };
    return (await this.#bus.publish(anEvent(event as never))).id;
  }

  async #subscribe(): Promise<string> {
    const { stand, hold, mismatches } = this.#situation;
    const isOrdered = stand === 'key-blocked' || stand === 'key-parked';
    // Attempts that the set-up makes before, and the one that uses the minute up.
    const attempts = stand === 'fresh' || stand === 'lane' ? 1 : 2;
    const options = {
      maxConcurrency: stand === 'lane' ? 1 : 4,
      timeoutMs: HOUR_MS,
      retryPolicy: fixedRetry(5, HOUR_MS),
      breaker: hold === 'breaker' ? { failures: 1, openMs: HOUR_MS } : false,
      ...(hold === 'rate' ? { rateLimitPerMinute: attempts } : {}),
      ...(isOrdered ? { order: 'key', ...(stand === 'key-parked' ? { onFailure: 'park' } : {}) } : {}),
    };
    const early = stand === 'fresh';
    const request = {
      topic: 'shop/#',
      context: { projectIds: ['p1'] },
      filter: {
        ...(early && mismatches.includes('filter') ? { sources: ['shop'] } : {}),
        ...(early && mismatches.includes('relevance') ? { projectScoped: true } : {}),
      },
      options: { ...options, ...(early && mismatches.includes('priority') ? { priority: 'HIGH' } : {}) },
    };
    if (hold === 'not-pulled') return (await this.#bus.subscribe({ name: 's', ...request })).id;
    if (hold === 'detached') {
      const handler = (event: { payload: JsonObject }) => this.#handled(event.payload['name'] as string);
      return (await this.#bus.subscribe({ name: 's', handler, ...request })).id;
    }
    const endpoint = hold === 'not-connected' ? SOCKET : ENDPOINT;
    return (await this.#bus.subscribe({ name: 's', endpoint, ...request })).id;
  }

  #handled(name: string) {
    const answer = this.receiver.answers.get(name) ?? DELIVERED;
    if (answer === 'hang') return new Promise<undefined>(() => {});
    if (answer.status === 'delivered') return undefined;
    return { success: false, error: 'No.', retry: answer.status === 'retry' };
  }

  /** What the event had is not wanted any more. */
  async #update(): Promise<void> {
    const { mismatches } = this.#situation;
    const changes: JsonObject = {
      ...(mismatches.includes('topic') ? { topic: 'elsewhere/#' } : {}),
      ...(mismatches.includes('priority') ? { options: { priority: 'CRITICAL' } } : {}),
      filter: {
        ...(mismatches.includes('filter') ? { sources: ['others'] } : {}),
        ...(mismatches.includes('relevance') ? { userRelevant: true } : {}),
      },
      ...(mismatches.includes('relevance') ? { context: { userIds: ['u'], projectIds: [] } } : {}),
    };
    await this.#bus.time.run(this.#bus.engine.subscriptions.update(ANONYMOUS, this.#id, changes));
    // What waits behind a blocked key is read again.
    await this.#bus.time.advance(300);
  }

  async #settle(forMs: number): Promise<void> {
    await this.#bus.time.advance(forMs);
  }
}
