/**
 * A transaction over several services that has no common database: steps one after the other, and when one of them fails for good,
 * what was done is undone in reverse order.
 *
 *     started ──▶ step 1 completed ──▶ step 2 completed ──▶ … ──▶ completed
 *                        │ refused, or given up after its retries
 *                        ▼
 *              compensation required ──▶ step 1 compensated ──▶ compensated
 *
 * There is no state but the events: each one says all that the next step needs, and whoever handles it does that step and publishes
 * the next event. A crash between the two means that the event is delivered again. So steps are idempotent (they have a
 * key that stays the same), and events have ids made of what they say, so that one that was published before is a duplicate.
 */
import type { BusEvent, EventBus } from '@event-manager/core';
import { stableId } from './stable-id.ts';

export interface Step<Data> {
  readonly name: string;
  /** Does it, once per key however often it is called. Throws `Refused` when trying again cannot help. */
  run(data: Data, key: string): void | Promise<void>;
  /** Undoes it, once per key. Also called when nobody knows how far `run` came. */
  compensate(data: Data, key: string): void | Promise<void>;
}

/** A step says no: nothing of it was done, and no retry is going to change that. */
export class Refused extends Error {}

export interface SagaOptions<Data> {
  /** Topics are `saga.NAME`, `saga.NAME.dead` and `saga.NAME.failures`. */
  readonly name: string;
  readonly steps: readonly Step<Data>[];
  /** Told when what was done is about to be undone. */
  readonly onFailed?: (failure: Failure) => void;
}

/** What every event of a saga carries. */
interface Carried<Data> {
  readonly sagaId: string;
  readonly data: Data;
  /** Of the step that the event is about. */
  readonly step?: string;
}

interface Failure {
  readonly sagaId: string;
  readonly failedStep: string;
  readonly reason: string;
  readonly compensationActions: readonly string[];
}

const STEP_RETRIES = {
  maxRetries: 2,
  backoffStrategy: 'fixed',
  initialDelay: 20,
  maxDelay: 20,
  jitter: false,
} as const;
/** What was begun has to be undone, so nothing is given up here for hours. */
const COMPENSATION_RETRIES = { maxRetries: 50, backoffStrategy: 'exponential', initialDelay: 100 } as const;

export class Saga<Data> {
  readonly #bus: EventBus;
  readonly #options: SagaOptions<Data>;
  readonly #topic: string;

  constructor(bus: EventBus, options: SagaOptions<Data>) {
    this.#bus = bus;
    this.#options = options;
    this.#topic = `saga.${options.name}`;
  }

  /** Goes on with what is under way, and from now on with what is started. */
  async open(): Promise<void> {
    const { name } = this.#options;
    // Groups outlive their members: what is owed to them waits while this program does not run.
    await this.#bus.subscribe(this.#topic, (event) => this.#goOn(event), {
      ...{ consumerGroup: `${name}-steps`, retryPolicy: STEP_RETRIES, dlqTopic: `${this.#topic}.dead` },
    });
    await this.#bus.subscribe(`${this.#topic}.dead`, (event) => this.#giveUp(event), {
      consumerGroup: `${name}-dead`,
    });
    await this.#bus.subscribe(`${this.#topic}.failures`, (event) => this.#compensate(event), {
      ...{ consumerGroup: `${name}-compensation`, retryPolicy: COMPENSATION_RETRIES },
    });
  }

  /** Starts a saga, once per id. */
  async start(sagaId: string, data: Data): Promise<void> {
    await this.#tell('saga.started', { sagaId, data });
  }

  /** What happened in a saga, oldest first. */
  trace(sagaId: string): Promise<readonly BusEvent[]> {
    return this.#bus.queryEventsByCorrelationId(sagaId);
  }

  async #goOn({ type, payload }: BusEvent): Promise<void> {
    if (type !== 'saga.started' && type !== 'step.completed') return;
    const { sagaId, data, step: done } = payload as Carried<Data>;
    const step = this.#after(done);
    if (!step) return this.#tell('saga.completed', { sagaId, data });
    try {
      await step.run(data, `${sagaId}/${step.name}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.#fail({ sagaId, data, step: step.name }, error.message);
    }
    await this.#tell('step.completed', { sagaId, data, step: step.name });
  }

  /** The step behind this event failed as often as it may. How far it came nobody knows, so it is undone, too. */
  async #giveUp({ payload, metadata }: BusEvent): Promise<void> {
    const { sagaId, data, step: done } = payload as Carried<Data>;
    const step = this.#after(done);
    // Everything is done, and only saying so failed.
    if (!step) return this.#tell('saga.completed', { sagaId, data });
    await this.#fail({ sagaId, data, step: step.name }, metadata.failureReason ?? 'unknown', 'may be done');
  }

  async #fail({ sagaId, data, step }: Required<Carried<Data>>, reason: string, came?: 'may be done'): Promise<void> {
    const names = this.#options.steps.map(({ name }) => name);
    const begun = names.slice(0, names.indexOf(step) + (came ? 1 : 0));
    const compensationActions = begun.reverse();
    await this.#tell('saga.compensation.required', { sagaId, data, failedStep: step, reason, compensationActions });
  }

  async #compensate({ payload }: BusEvent): Promise<void> {
    const { sagaId, data, compensationActions, ...failure } = payload as Carried<Data> & Failure;
    this.#options.onFailed?.({ sagaId, compensationActions, ...failure });
    for (const name of compensationActions) {
      const step = this.#options.steps.find((known) => known.name === name)!;
      await step.compensate(data, `${sagaId}/${name}/undone`);
      await this.#tell('step.compensated', { sagaId, data, step: name });
    }
    await this.#tell('saga.compensated', { sagaId, data });
  }

  #after(done: string | undefined): Step<Data> | undefined {
    const { steps } = this.#options;
    return done === undefined ? steps[0] : steps[steps.findIndex(({ name }) => name === done) + 1];
  }

  async #tell(type: string, payload: Carried<Data> & Readonly<Record<string, unknown>>): Promise<void> {
    const { sagaId, step = '' } = payload;
    const topic = type === 'saga.compensation.required' ? `${this.#topic}.failures` : this.#topic;
    const id = stableId(this.#topic, sagaId, type, step);
    await this.#bus.publish(topic, type, payload, { id, metadata: { correlationId: sagaId } });
  }
}
