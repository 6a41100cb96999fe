/**
 * A subscription whose handler is in this program, for as long as the program wants it.
 *
 * With a name or a fallback it exists in the service whether or not anybody is connected: on every connection this attaches to
 * it again, by the same words. Any other ends with each connection and begins anew on the next one behind the last cursor that
 * the service told us: what was settled by then does not come again, and what came after does. Its id is then another one in
 * the service; here it keeps the first.
 */
import type { SubscriptionDefinition } from '@event-manager/core';
import type { EventManagerError, JsonObject, Runtime } from '@event-manager/core/portable';
import type { Connection } from '../connection/connection.ts';
import type { AnswerFrame, DeliveryEntry } from '../connection/frames.ts';
import type { Requests } from '../connection/requests.ts';
import { StandingRequest } from '../connection/standing-request.ts';
import { definitionOf } from '../http/described-subscription.ts';
import type { Answers } from './answers.ts';
import { Deliveries } from './deliveries.ts';
import type { Handling } from './handling.ts';
import { rememberedMax, socketOptions } from './socket-options.ts';
import { wayFields } from './way-fields.ts';

export interface AttachmentOptions {
  readonly body: JsonObject;
  readonly handling: Handling;
  /** Which member of a named subscription this is. */
  readonly member: string;
  readonly connection: Connection;
  readonly requests: Requests;
  readonly answers: Answers;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** The service knows it by this id on the present connection. */
  readonly onAttached: (attachment: Attachment, socketId: string) => void;
  readonly onEnded: (attachment: Attachment, error: EventManagerError) => void;
  /** How the subscription is defined by now. */
  readonly describe: (id: string) => Promise<SubscriptionDefinition>;
}

export class Attachment {
  readonly deliveries: Deliveries;
  readonly #options: AttachmentOptions;
  readonly #standing: StandingRequest;
  #body: JsonObject;
  /** What the request says of another way. */
  #way: JsonObject;
  #id: string | undefined;
  #definition: SubscriptionDefinition | undefined;
  #socketId: string | undefined;
  /** When the service made it; of an unnamed one, which is made on every connection and goes on behind its cursor, nothing. */
  #making = '';
  /** Everything at or before it is settled. */
  #cursor: string | undefined;

  constructor(options: AttachmentOptions) {
    const { connection, requests, runtime, timeoutMs, answers, handling, body } = options;
    this.#options = options;
    const { sent } = socketOptions(body['options']);
    this.#way = wayFields(body);
    this.#body = sent === undefined ? body : { ...body, options: sent as JsonObject };
    this.deliveries = new Deliveries({
      answers,
      handling,
      clock: runtime.clock,
      timers: runtime.timers,
      subscriptionId: () => this.id,
      making: () => this.#making,
    });
    this.#standing = new StandingRequest({
      connection,
      requests,
      runtime,
      timeoutMs,
      frame: () => ({ type: 'subscribe', subscription: this.#request(), ...this.#memberField }),
      answered: (frame) => this.#attached(frame),
      ended: (error) => options.onEnded(this, error),
      unwanted: (frame) => this.#leaveAgain(frame),
      mend: (error) => this.#mend(error),
    });
  }

  /** The id under which it was made first. */
  get id(): string {
    return this.#id ?? '';
  }

  /** The id in the service on the present connection; `undefined` while there is none. */
  get socketId(): string | undefined {
    return this.#standing.isStanding ? this.#socketId : undefined;
  }

  get definition(): SubscriptionDefinition {
    return this.#definition!;
  }

  /** The subscription exists in the service whether or not anybody is connected: it has a name, or a fallback. */
  get isDurable(): boolean {
    const { fallbackWebhook = false } = this.#way;
    return this.#body['name'] !== undefined || fallbackWebhook !== false;
  }

  /** Absent without a name: then nobody shares it. */
  get member(): string | undefined {
    return this.isDurable ? this.#options.member : undefined;
  }

  get #memberField(): { readonly member?: string } {
    return this.member === undefined ? {} : { member: this.member };
  }

  /** Resolves with the definition when it is attached for the first time. Throws what the service says, `unreachable`. */
  async attach(): Promise<SubscriptionDefinition> {
    this.#standing.ask();
    await this.#standing.ready;
    return this.definition;
  }

  opened(): void {
    this.#standing.ask();
  }

  lost(): void {
    this.#standing.lost();
    this.deliveries.lost();
  }

  /** It is not asked for on the next connection. */
  stop(reason: EventManagerError): void {
    this.#standing.stop(reason);
  }

  moved(cursor: string): void {
    this.#cursor = cursor;
  }

  take(deliveries: readonly DeliveryEntry[]): void {
    this.deliveries.take(deliveries);
  }

  /** The program itself changes it: what it says of another way holds from now on. */
  changing(changes: JsonObject): void {
    this.#way = { ...this.#way, ...wayFields(changes) };
  }

  /** It was changed, by whomever: this is what it is attached to from now on. */
  changed(
    definition: SubscriptionDefinition,
    timing: { concurrency: number; timeoutMs: number },
  ): SubscriptionDefinition {
    const { name, subscriber, topic, filter, context, options } = definition;
    const body = { name, subscriber, topic, filter, context, options, ...this.#way };
    this.#body = JSON.parse(JSON.stringify(body)) as JsonObject;
    this.#define(definition, timing);
    return this.definition;
  }

  #request(): JsonObject {
    if (this.isDurable || this.#cursor === undefined) return this.#body;
    const options = (this.#body['options'] ?? {}) as JsonObject;
    return { ...this.#body, options: { ...options, startFrom: { cursor: this.#cursor } } };
  }

  #attached(frame: AnswerFrame): void {
    if (frame.type !== 'subscribed') return;
    const subscription = definitionOf(frame.subscription);
    this.#socketId = subscription.id;
    if (this.isDurable) this.#making = `${subscription.id} ${subscription.createdAtMs}`;
    this.#id ??= subscription.id;
    const { concurrency, timeoutMs } = socketOptions(this.#options.body['options']);
    if (!this.#definition) this.changed(subscription, { concurrency, timeoutMs });
    this.deliveries.found();
    this.#options.onAttached(this, subscription.id);
  }

  /** The time of a call is kept here (see `socketOptions`), so this is the one that is shown. */
  #define(
    definition: SubscriptionDefinition,
    { concurrency, timeoutMs }: { concurrency: number; timeoutMs: number },
  ): void {
    this.#definition = { ...definition, id: this.id, options: { ...definition.options, timeoutMs } };
    this.deliveries.limits = {
      concurrency,
      timeoutMs,
      rememberedMax: rememberedMax(definition.options, this.isDurable),
    };
  }

  /** Nobody waited for it any longer, and the service made it all the same. */
  #leaveAgain(frame: AnswerFrame): void {
    if (frame.type !== 'subscribed') return;
    const nobody = { answered: () => {}, failed: () => {} };
    const type = this.isDurable ? 'detach' : 'unsubscribe';
    this.#options.requests.ask({ type, subscription: frame.subscription.id, ...this.#memberField }, nobody);
  }

  /** Somebody changed the definition while there was no connection. */
  async #mend(error: EventManagerError): Promise<boolean> {
    if (error.code !== 'subscription_conflict') return false;
    const definition = await this.#options.describe(this.id);
    // Whoever attaches to a name need not say which other way there is, and we do not know it any more.
    if (definition.name !== undefined) this.#way = {};
    this.changed(definition, this.deliveries.limits);
    return true;
  }
}
