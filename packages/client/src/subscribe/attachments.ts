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
  readonly #bySocketId = new Map<string, Attachment>();

  constructor(options: AttachmentsOptions) {
    this.#options = options;
    this.#answers = new Answers(options.connection, options.runtime.timers);
    options.connection.use(this);
  }

  get needsConnection(): boolean {
    return this.#all.size > 0;
  }

  /** Throws what the service says, `unreachable`. */
  async subscribe(body: JsonObject, handling: Handling): Promise<SubscriptionDefinition> {
    const { connection, requests, runtime, timeoutMs, state, onError } = this.#options;
    const attachment = new Attachment({
      body,
      handling,
      connection,
      requests,
      runtime,
      timeoutMs,
      answers: this.#answers,
      describe: (id) => state.subscription(id),
      onAttached: (attached, socketId) => this.#bySocketId.set(socketId, attached),
      onEnded: (ended, error) => {
        this.#all.delete(ended);
        onError(error);
      },
    });
    this.#all.add(attachment);
    try {
      return await attachment.attach();
    } catch (error) {
      this.#all.delete(attachment);
      throw error;
    }
  }

  /** The one that an application knows by this id. */
  find(id: string): Attachment | undefined {
    return [...this.#all].find((attachment) => attachment.id === id && id !== '');
  }

  /** Ends a subscription and its debt. No handler is called any more; one that runs may go on a moment. */
  async unsubscribe(attachment: Attachment): Promise<void> {
    const { id, isNamed } = attachment;
    const socketId = this.#drop(attachment);
    attachment.deliveries.drop();
    this.#answers.flush();
    const isDone = socketId !== undefined && (await this.#ask('unsubscribe', socketId));
    // An unnamed one ended with its connection.
    if (!isDone && isNamed) await this.#options.state.deleteSubscription(id);
  }

  /** Leaves a named subscription, which goes on existing; an unnamed one ends. Handlers that run may end first. */
  async detach(attachment: Attachment): Promise<void> {
    const stopped = attachment.deliveries.stop(this.#options.drainMs);
    await stopped;
    this.#answers.flush();
    const { isNamed } = attachment;
    const socketId = this.#drop(attachment);
    if (socketId !== undefined) await this.#ask(isNamed ? 'detach' : 'unsubscribe', socketId);
  }

  async update(attachment: Attachment, changes: JsonObject): Promise<SubscriptionDefinition> {
    const { state } = this.#options;
    const before = attachment.deliveries.limits;
    const given = changes['options'];
    if (given === undefined)
      return attachment.changed(await state.updateSubscription(serviceId(attachment), changes), before);
    const { sent, ...timing } = socketOptions({ timeoutMs: before.timeoutMs, ...(given as JsonObject) });
    const updated = await state.updateSubscription(serviceId(attachment), { ...changes, options: sent as JsonObject });
    return attachment.changed(updated, timing);
  }

  /** What the service says to it does not matter: it leaves them too when the connection ends. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#all].map((attachment) => this.detach(attachment)));
  }

  opened(): void {
    for (const attachment of this.#all) attachment.opened();
  }

  took(frame: ServerFrame): boolean {
    if (frame.type === 'delivery') this.#bySocketId.get(frame.subscription)?.take(frame.deliveries);
    else if (frame.type === 'progress') this.#bySocketId.get(frame.subscription)?.moved(frame.cursor);
    else if (frame.type === 'detached' && frame.ref === undefined) this.#detached(frame.subscription, frame.reason);
    else return false;
    return true;
  }

  lost(): void {
    this.#answers.lost();
    this.#bySocketId.clear();
    for (const attachment of this.#all) attachment.lost();
  }

  /** Subscriptions that nobody could tell of it would be silent for ever. */
  gaveUp(reason: EventManagerError): void {
    for (const attachment of [...this.#all]) {
      this.#drop(attachment, reason);
      this.#options.onError(reason);
    }
  }

  /** Not asked for again: of two programs that serve one name, each would take it from the other for ever. */
  #detached(socketId: string, reason: string): void {
    const attachment = this.#bySocketId.get(socketId);
    if (!attachment) return;
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
    const { socketId } = attachment;
    attachment.stop(reason);
    this.#all.delete(attachment);
    if (socketId !== undefined) this.#bySocketId.delete(socketId);
    return socketId;
  }

  /** False when the connection was lost before the answer. */
  #ask(type: 'unsubscribe' | 'detach', subscription: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#options.requests.ask(
        { type, subscription },
        {
          answered: () => resolve(true),
          failed: (error) => (error.code === 'unreachable' ? resolve(false) : reject(error)),
        },
      );
    });
  }
}

/** An unnamed one has another id on every connection. */
function serviceId(attachment: Attachment): string {
  return attachment.socketId ?? attachment.id;
}
