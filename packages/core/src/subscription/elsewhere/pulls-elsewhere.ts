/**
 * Pulling through a process that does not serve the subscription: the owner leases, and this process reads what was leased and
 * hands it over. Tokens are the owner's, so they are answered through any process as long as the owner is the same; after that
 * they are stale, as after a restart.
 *
 * What was leased for an asker that did not get it, because the answer was late or the asker had left, is given back.
 */
import type { Outcome } from '../../contracts/sink.ts';
import { isOutcome } from '../../dispatch/deliver.ts';
import { EventManagerError, isEventManagerError } from '../../errors/event-manager-error.ts';
import type { JsonObject } from '../../json.ts';
import { numberOf, objectOf, objectsOf, textOf } from '../../peers/letter-fields.ts';
import type { Answered, Reply, Requests } from '../../peers/requests.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { LeasedDelivery, PullRequest, PullSink } from '../../sink/pull-sink.ts';
import { type AskOwner, notServedHere } from './ask-owner.ts';
import { deadLetterOf, type EventReader } from './event-reader.ts';
import { encodeOutcome } from './outcome-letters.ts';

/** What an answer to a token may take. */
const ANSWER_WITHIN_MS = 5_000;
/** Of a pull, which can be asked for again without harm. */
const LEASED_WITHIN_MS = 2_000;
/** More would not fit into a letter. */
const LEASES_MAX = 256;
const TOKENS_MAX = 256;
/** How a token looks: see `sink/pull-sink.ts`. */
const TOKEN = /^[0-9a-f]{1,40}\.\d{1,16}$/;

export interface PullsElsewhereOptions {
  readonly owner: AskOwner;
  readonly requests: Requests;
  readonly reader: EventReader;
  readonly runtime: Runtime;
  /** The sink of a subscription that is pulled and served here. */
  readonly sinkOf: (id: string) => PullSink | undefined;
  /** Pulls from it. */
  readonly pullHere: (id: string, sink: PullSink, request: PullRequest) => Promise<readonly LeasedDelivery[]>;
}

export class PullsElsewhere {
  readonly #options: PullsElsewhereOptions;

  constructor(options: PullsElsewhereOptions) {
    const { requests } = options;
    this.#options = options;
    requests.serve('pull', (request, signal) => this.#onPull(request, signal));
    requests.serve('ack', (request) => this.#withTokens(request, (sink, tokens) => sink.ack(tokens)));
    requests.serve('nack', (request) =>
      this.#withTokens(request, (sink, tokens) => sink.nack(tokens, outcomeOf(request))),
    );
    requests.serve('extend', (request) => this.#onExtend(request));
  }

  /** `undefined` when nobody serves it, or whoever does has not answered: what it leased then is given back. Throws `overloaded`. */
  async pull(id: string, { max, waitMs, signal }: PullRequest): Promise<readonly LeasedDelivery[] | undefined> {
    const { owner, reader, runtime } = this.#options;
    const request = { max: Math.min(max, LEASES_MAX), waitMs };
    const limits = { limitMs: waitMs + LEASED_WITHIN_MS, signal };
    const reply = await owner.ask(id, 'pull', request, limits).catch(unlessUnreachable);
    if (!reply) return undefined;
    const { clock } = runtime;
    const sentAtMs = clock.monotonicMs() - reply.ageMs;
    const leases = objectsOf(reply.answer, 'leases');
    const own = leases.map((lease) => reader.readOwn(lease['deadLetter']));
    const inLog = leases.filter((_, at) => !own[at]).map((lease) => numberOf(lease, 'position'));
    const read = [...(await reader.read(inLog))];
    const records = await Promise.all(own.map(async (letter) => (letter ? (await letter)[0] : read.shift())));
    const handed: LeasedDelivery[] = [];
    const lost: string[] = [];
    for (const [at, lease] of leases.entries()) {
      const record = records[at];
      const token = textOf(lease, 'token');
      const leftMs = sentAtMs + numberOf(lease, 'leftMs') - clock.monotonicMs();
      // One that may be over by now may be somebody else's.
      if (!record || signal?.aborted || leftMs <= 0) lost.push(token);
      else {
        const replay = typeof lease['replay'] === 'string' ? { replay: { id: lease['replay'] } } : {};
        const marks = { ...replay, ...(typeof lease['life'] === 'string' ? { life: lease['life'] } : {}) };
        const attempt = numberOf(lease, 'attempt');
        handed.push({ token, attempt, record, leaseUntilMs: clock.wallMs() + leftMs, ...marks });
      }
    }
    if (lost.length > 0) this.release(id, lost);
    return handed;
  }

  /** Returns the tokens that came too late. */
  async ack(id: string, tokens: readonly string[]): Promise<readonly string[]> {
    return this.#answer(id, 'ack', tokens, {});
  }

  async nack(id: string, tokens: readonly string[], outcome: Outcome): Promise<readonly string[]> {
    return this.#answer(id, 'nack', tokens, { outcome: encodeOutcome(outcome) });
  }

  /** Also for how long the others are leased now, where somebody serves it: never longer than whoever leased them says. */
  async extend(
    id: string,
    tokens: readonly string[],
  ): Promise<{ readonly stale: readonly string[]; readonly leftMs?: number }> {
    const { clock } = this.#options.runtime;
    let endsAtMs: number | undefined;
    const stale = await this.#answer(id, 'extend', tokens, {}, ({ answer, ageMs }, askedAtMs) => {
      // It was not sent before it was asked for, also where nobody can say how old the letter is.
      const sentAtMs = Math.max(askedAtMs, clock.monotonicMs() - ageMs);
      endsAtMs = Math.min(endsAtMs ?? Number.POSITIVE_INFINITY, sentAtMs + numberOf(answer, 'leftMs'));
    });
    return endsAtMs === undefined ? { stale } : { stale, leftMs: endsAtMs - clock.monotonicMs() };
  }

  /** Gives back what nobody began to handle; what does not arrive runs out. */
  release(id: string, tokens: readonly string[]): void {
    this.nack(id, tokens, { status: 'release' }).catch(() => {});
  }

  async #answer(
    id: string,
    what: string,
    tokens: readonly string[],
    more: JsonObject,
    onAnswer: (reply: Reply, askedAtMs: number) => void = () => {},
  ): Promise<readonly string[]> {
    // A text that no process made could be longer as JSON than a letter may be.
    const made = tokens.filter((token) => TOKEN.test(token));
    const stale = new Set(tokens.filter((token) => !TOKEN.test(token)));
    for (let at = 0; at < made.length; at += TOKENS_MAX) {
      const some = made.slice(at, at + TOKENS_MAX);
      const request = { ...more, tokens: some };
      const askedAtMs = this.#options.runtime.clock.monotonicMs();
      const reply = await this.#options.owner.ask(id, what, request, { limitMs: ANSWER_WITHIN_MS });
      for (const token of reply ? textsOf(reply.answer, 'stale') : some) stale.add(token);
      if (reply) onAnswer(reply, askedAtMs);
    }
    return [...new Set(tokens)].filter((token) => stale.has(token));
  }

  async #onPull(request: JsonObject, signal: AbortSignal): Promise<Answered> {
    const { runtime, pullHere } = this.#options;
    const sink = this.#sinkOf(request);
    const id = textOf(request, 'subscription');
    const [max, waitMs] = [numberOf(request, 'max'), numberOf(request, 'waitMs')];
    const pulled = await pullHere(id, sink, { max, waitMs, signal });
    const { clock } = runtime;
    const wallAheadMs = clock.wallMs() - clock.monotonicMs();
    // The answer is remembered for a while: without the events, which are large.
    const leases = pulled.map(({ token, attempt, record, leaseUntilMs, replay, life }) => {
      const marks = { ...(replay ? { replay: replay.id } : {}), ...(life === undefined ? {} : { life }) };
      return {
        token,
        attempt,
        position: record.place.position,
        endsAtMs: leaseUntilMs - wallAheadMs,
        ...marks,
        ...deadLetterOf(record),
      };
    });
    return {
      answer: () => ({
        leases: leases.map(({ endsAtMs, ...lease }) => ({ ...lease, leftMs: endsAtMs - clock.monotonicMs() })),
      }),
      undo: () => {
        sink.nack(
          leases.map(({ token }) => token),
          { status: 'release' },
        );
      },
    };
  }

  async #withTokens(
    request: JsonObject,
    settle: (sink: PullSink, tokens: readonly string[]) => readonly string[],
  ): Promise<Answered> {
    const stale = settle(this.#sinkOf(request), textsOf(request, 'tokens'));
    return { answer: () => ({ stale }) };
  }

  async #onExtend(request: JsonObject): Promise<Answered> {
    const { stale, leaseUntilMs } = this.#sinkOf(request).extend(textsOf(request, 'tokens'));
    const { clock } = this.#options.runtime;
    const endsAtMs = leaseUntilMs - clock.wallMs() + clock.monotonicMs();
    return { answer: () => ({ stale, leftMs: endsAtMs - clock.monotonicMs() }) };
  }

  #sinkOf(request: JsonObject): PullSink {
    const id = textOf(request, 'subscription');
    const sink = this.#options.sinkOf(id);
    if (sink) return sink;
    throw notServedHere(id);
  }
}

function unlessUnreachable(error: unknown): undefined {
  if (!isEventManagerError(error, 'unreachable')) throw error;
}

function outcomeOf(request: JsonObject): Outcome {
  const outcome: unknown = objectOf(request, 'outcome');
  if (isOutcome(outcome)) return outcome;
  throw new EventManagerError('internal', 'A letter has no outcome that can be read.');
}

function textsOf(letter: JsonObject, name: string): readonly string[] {
  const list: unknown = letter[name];
  if (Array.isArray(list) && list.every((value) => typeof value === 'string')) return list;
  throw new EventManagerError('internal', `A letter has no ${name} that can be read.`);
}
