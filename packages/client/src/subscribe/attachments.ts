import type { SubscriptionDefinition } from '@event-manager/core';
import { EventManagerError, type JsonObject, type Runtime } from '@event-manager/core/portable';
import type { Connection, ConnectionUser } from '../connection/connection.ts';
import type { ServerFrame } from '../connection/frames.ts';
import type { Requests } from '../connection/requests.ts';
import type { RemoteState } from '../http/remote-state.ts';
import { Answers } from './answers.ts';
import { Attachment } from './attachment.ts';
import type { Handling } from './handling.ts';
import { socketOptions } from './socket-options.ts';

const NAME_BYTES = 8;
/** What the service waits at the most for deliveries that are under way. */
const DRAIN_MS_MAX = 60 * 60 * 1_000;

export interface AttachmentsOptions {
  readonly connection: Connection;
  readonly requests: Requests;
  readonly state: RemoteState;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  readonly drainMs: number;
  readonly onError: (error: unknown) => void;
}

/** The subscriptions whose handlers are in this program. */
export class Attachments implements ConnectionUser {
  readonly #options: AttachmentsOptions;
  readonly #answers: Answers;
  /** All that are wanted, also those that the service has not answered yet. */
  readonly #all = new Set<Attachment>();
  /** What left its subscription and still has deliveries to answer. */
  readonly #leaving = new Set<Attachment>();
  readonly #bySocket = new Map<string, Attachment>();
  readonly #client: string;
  #attached = 0;

  constructor(options: AttachmentsOptions) {
    this.#options = options;
    this.#answers = new Answers(options.connection, options.runtime.timers);
    this.#client = drawName(options.runtime);
    options.connection.use(this);
  }

  get needsConnection(): boolean {
    return this.#all.size > 0;
  }

  /** Throws what the service says, `unreachable`. */
  async subscribe(body: JsonObject, handling: Handling): Promise<Attachment> {
    const { connection, requests, runtime, timeoutMs, state, onError } = this.#options;
    const attachment = new Attachment({
      body,
      handling,
      member: `${this.#client}.${++this.#attached}`,
      connection,
      requests,
      runtime,
      timeoutMs,
      answers: this.#answers,
      describe: (id) => state.subscription(id),
      onAttached: (attached, socketId) => this.#bySocket.set(placeOf(socketId, attached.member), attached),
      onEnded: (ended, error) => {
        this.#all.delete(ended);
        onError(error);
      },
    });
    this.#all.add(attachment);
    try {
      await attachment.attach();
      return attachment;
    } catch (error) {
      this.#all.delete(attachment);
      throw error;
    }
  }

  /** One of those that an application knows by this id. */
  find(id: string): Attachment | undefined {
    return this.findAll(id)[0];
  }

  findAll(id: string): readonly Attachment[] {
    return [...this.#all].filter((attachment) => attachment.id === id && id !== '');
  }

  /** Ends a subscription and its debt. No handler is called any more; one that runs may go on a moment. */
  async unsubscribe(attachment: Attachment): Promise<void> {
    const { id, isDurable, member } = attachment;
    const { socketId } = attachment;
    for (const one of this.findAll(id)) {
      this.#drop(one);
      one.deliveries.drop();
    }
    this.#answers.flush();
    const isDone = socketId !== undefined && (await this.#ask('unsubscribe', socketId, member));
    // An unnamed one ended with its connection.
    if (!isDone && isDurable) await this.#options.state.deleteSubscription(id);
  }

  /** Leaves a named subscription, which goes on existing; an unnamed one ends. Handlers that run may end first. */
  async detach(attachment: Attachment): Promise<void> {
    const stopped = attachment.deliveries.stop(this.#options.drainMs);
    if (attachment.isDurable) {
      await this.#leave(attachment, stopped);
      return;
    }
    await stopped;
    this.#answers.flush();
    const socketId = this.#drop(attachment);
    if (socketId !== undefined) await this.#ask('unsubscribe', socketId, undefined);
  }

  /** The service is told at once, so that it sends nothing more here; what is under way is answered meanwhile. */
  async #leave(attachment: Attachment, stopped: Promise<void>): Promise<void> {
    const { socketId, member } = attachment;
    this.#all.delete(attachment);
    this.#leaving.add(attachment);
    attachment.stop(new EventManagerError('closed', 'The subscription was left.'));
    this.#answers.flush();
    const drainMs = Math.min(DRAIN_MS_MAX, Math.ceil(this.#options.drainMs));
    const left = socketId === undefined ? undefined : this.#ask('detach', socketId, member, { drainMs });
    try {
      await stopped;
      this.#answers.flush();
      await left;
    } finally {
      this.#leaving.delete(attachment);
      if (socketId !== undefined) this.#bySocket.delete(placeOf(socketId, member));
    }
  }

  async update(attachment: Attachment, changes: JsonObject): Promise<SubscriptionDefinition> {
    const { state } = this.#options;
    const before = attachment.deliveries.limits;
    const given = changes['options'];
    if (given === undefined) {
      const changed = await state.updateSubscription(serviceId(attachment), changes);
      attachment.changing(changes);
      return this.#changed(attachment, changed, before);
    }
    const { sent, ...timing } = socketOptions({ timeoutMs: before.timeoutMs, ...(given as JsonObject) });
    const updated = await state.updateSubscription(serviceId(attachment), { ...changes, options: sent as JsonObject });
    attachment.changing(changes);
    return this.#changed(attachment, updated, timing);
  }

  /** Every handler of this program that shares it asks for the new one from now on. */
  #changed(
    attachment: Attachment,
    definition: SubscriptionDefinition,
    timing: { concurrency: number; timeoutMs: number },
  ): SubscriptionDefinition {
    for (const one of this.findAll(attachment.id)) one.changed(definition, timing);
    return attachment.definition;
  }

  /** What the service says to it does not matter: it leaves them too when the connection ends. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#all].map((attachment) => this.detach(attachment)));
  }

  opened(): void {
    for (const attachment of this.#all) attachment.opened();
  }

  took(frame: ServerFrame): boolean {
    if (frame.type === 'delivery') this.#addressed(frame)?.take(frame.deliveries);
    else if (frame.type === 'progress') this.#addressed(frame)?.moved(frame.cursor);
    else if (frame.type === 'detached' && frame.ref === undefined) this.#detached(this.#addressed(frame), frame.reason);
    else return false;
    return true;
  }

  lost(): void {
    this.#answers.lost();
    this.#bySocket.clear();
    for (const attachment of [...this.#all, ...this.#leaving]) attachment.lost();
  }

  /** Subscriptions that nobody could tell of it would be silent for ever. */
  gaveUp(reason: EventManagerError): void {
    for (const attachment of [...this.#all]) {
      this.#drop(attachment, reason);
      this.#options.onError(reason);
    }
  }

  #addressed({ subscription, member }: { subscription: string; member?: string }): Attachment | undefined {
    const exact = this.#bySocket.get(placeOf(subscription, member));
    if (exact || member !== undefined) return exact;
    // A service that names no member means the only one.
    return [...this.#bySocket.values()].find(({ socketId }) => socketId === subscription);
  }

  /** Not asked for again: of two programs that are one member, each would take its place from the other for ever. */
  #detached(attachment: Attachment | undefined, reason: string): void {
    if (!attachment || this.#leaving.has(attachment)) return;
    const error =
      reason === 'taken_over'
        ? new EventManagerError('lease_lost', 'Another program serves the subscription now.', { id: attachment.id })
        : new EventManagerError('subscription_not_found', 'The subscription was ended.', { id: attachment.id });
    this.#drop(attachment, error);
    attachment.deliveries.drop();
    this.#options.onError(error);
  }

  #drop(
    attachment: Attachment,
    reason = new EventManagerError('closed', 'The subscription was left.'),
  ): string | undefined {
    const { socketId, member } = attachment;
    attachment.stop(reason);
    this.#all.delete(attachment);
    if (socketId !== undefined) this.#bySocket.delete(placeOf(socketId, member));
    return socketId;
  }

  /** False when the connection was lost before the answer. */
  #ask(
    type: 'unsubscribe' | 'detach',
    subscription: string,
    member: string | undefined,
    more: { readonly drainMs?: number } = {},
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#options.requests.ask(
        { type, subscription, ...(member === undefined ? {} : { member }), ...more },
        {
          answered: () => resolve(true),
          failed: (error) => (error.code === 'unreachable' ? resolve(false) : reject(error)),
        },
      );
    });
  }
}

/** Handlers of this program that share a subscription are told apart by what they are as members. */
function placeOf(socketId: string, member: string | undefined): string {
  return `${socketId} ${member ?? ''}`;
}

/** Nobody else's: the same on every connection of this program, so that it takes its own place when it comes back. */
function drawName({ chance }: Runtime): string {
  const bytes = new Uint8Array(NAME_BYTES);
  chance.fill(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** An unnamed one has another id on every connection. */
function serviceId(attachment: Attachment): string {
  return attachment.socketId ?? attachment.id;
}
