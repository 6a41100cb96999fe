/**
 * Questions to one other process, and their answers, over letters that may be lost, late or doubled.
 *
 *     asked ──answer──▶ resolved            at the other: unknown ──ask──▶ working ──▶ answered, remembered for a while
 *       │ ▲ twice a second again                                └──asked again: the answer is sent again, the work is not done again
 *       └──limit, gone──▶ rejected with `unreachable`        └──`unask`: the work is broken off, or undone where it can be
 *
 * So a request is done at most once, and an asker that got no answer does not know whether it was done.
 */
import { ERROR_CODES, type ErrorCode } from '../errors/codes.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { JsonObject } from '../json.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Letter } from './envelope.ts';
import { numberOf, objectOf, textOf } from './letter-fields.ts';
import { fits } from './outbox.ts';
import type { Peer, Peers } from './peers.ts';

const AGAIN_EVERY_MS = 500;
/** Of a request that is older nobody waits for the answer. */
const ASKED_WITHIN_MS = 5_000;
const REMEMBERED_MS = 10_000;

export interface AskOptions {
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Does what is asked; `undo` is called when the asker says afterwards that it did not want the answer any more. */
export interface Answered {
  /** Made anew when it is sent again: what it says may depend on the time. */
  readonly answer: () => JsonObject;
  readonly undo?: () => void;
}

export interface Reply {
  readonly answer: JsonObject;
  /** How old it is, at most, milliseconds; `Infinity` where nobody can say. */
  readonly ageMs: number;
}

export type Answer = (request: JsonObject, signal: AbortSignal) => Promise<Answered>;

interface Asked {
  readonly to: string;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: EventManagerError) => void;
}

interface Work {
  readonly from: string;
  readonly abort: AbortController;
  isUnwanted: boolean;
  done: Answered | undefined;
  letter: (() => Letter) | undefined;
  cancel: Cancel | undefined;
}

export class Requests {
  readonly counts = { asked: 0, unanswered: 0 };
  readonly #peers: Peers;
  readonly #runtime: Runtime;
  readonly #onFailure: (error: unknown) => void;
  readonly #asked = new Map<number, Asked>();
  readonly #work = new Map<string, Work>();
  readonly #answers = new Map<string, Answer>();
  #last = 0;

  constructor(peers: Peers, runtime: Runtime, onFailure: (error: unknown) => void) {
    this.#peers = peers;
    this.#runtime = runtime;
    this.#onFailure = onFailure;
    peers.on('ask', (letter, from, ageMs) => this.#onAsk(letter, from, ageMs));
    peers.on('unask', (letter, from) => this.#onUnask(letter, from));
    peers.on('answer', (letter, _from, ageMs) => this.#onAnswer(letter, ageMs));
    peers.onGone((peer) => this.#gone(peer));
  }

  /** How requests of one kind are answered here. */
  serve(what: string, answer: Answer): void {
    this.#answers.set(what, answer);
  }

  /**
   * Resolves with the answer of the process `to`. Throws what it threw, and `unreachable` when there was no answer within the
   * limit, the process is gone or does not know what is asked, and when the signal aborts; `internal` when the question or its
   * answer is larger than a letter may be, which nothing that is asked for should lead to.
   */
  ask(to: string, what: string, request: JsonObject, { limitMs, signal }: AskOptions): Promise<Reply> {
    if (!this.#peers.peer(to) || signal?.aborted) return Promise.reject(unanswered(to));
    const id = ++this.#last;
    const question = { kind: 'ask', id, what, request };
    if (!fits(question)) return Promise.reject(tooLarge('question'));
    const { timers } = this.#runtime;
    this.counts.asked++;
    return new Promise((resolve, reject) => {
      let cancelAgain: Cancel = () => {};
      const send = () => {
        this.#peers.post(question, to);
        cancelAgain = timers.after(AGAIN_EVERY_MS, send, true);
      };
      const giveUp = () => {
        this.counts.unanswered++;
        this.#peers.post({ kind: 'unask', id }, to);
        this.#asked.get(id)?.reject(unanswered(to));
      };
      const cancelLimit = timers.after(limitMs, giveUp, true);
      const over = () => {
        this.#asked.delete(id);
        cancelAgain();
        cancelLimit();
        signal?.removeEventListener('abort', giveUp);
      };
      signal?.addEventListener('abort', giveUp);
      this.#asked.set(id, {
        to,
        resolve: (reply) => {
          over();
          resolve(reply);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      });
      send();
    });
  }

  #onAsk(letter: Letter, from: Peer, ageMs: number): void {
    const id = numberOf(letter, 'id');
    const key = keyOf(from, id);
    const known = this.#work.get(key);
    if (known && !this.#runtime.planted.has('repeated-ask-done-again')) {
      if (known.letter) this.#send(known, id);
      return;
    }
    const answer = this.#answers.get(textOf(letter, 'what'));
    const request = objectOf(letter, 'request');
    if (!answer || ageMs > ASKED_WITHIN_MS) return;
    const work: Work = {
      from: from.name,
      abort: new AbortController(),
      isUnwanted: false,
      done: undefined,
      letter: undefined,
      cancel: undefined,
    };
    this.#work.set(key, work);
    this.#do(key, id, work, () => answer(request, work.abort.signal)).catch(this.#onFailure);
  }

  async #do(key: string, id: number, work: Work, run: () => Promise<Answered>): Promise<void> {
    try {
      const done = await run();
      work.done = done;
      work.letter = () => ({ kind: 'answer', id, answer: done.answer() });
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      const { code, message, details } = error;
      const refused = { kind: 'answer', id, error: { code, message, details: details as JsonObject } };
      work.letter = () => refused;
    }
    if (work.isUnwanted) work.done?.undo?.();
    else this.#send(work, id);
    work.cancel = this.#runtime.timers.after(REMEMBERED_MS, () => this.#work.delete(key));
  }

  /** An answer that fits into no letter is a refusal: whoever asked learns of it, and what can be undone is. */
  #send(work: Work, id: number): void {
    const letter = work.letter!();
    if (fits(letter)) {
      this.#peers.post(letter, work.from);
      return;
    }
    work.done?.undo?.();
    work.done = undefined;
    const { code, message } = tooLarge('answer');
    const refused = { kind: 'answer', id, error: { code, message, details: {} } };
    work.letter = () => refused;
    this.#peers.post(refused, work.from);
  }

  #onUnask(letter: Letter, from: Peer): void {
    const work = this.#work.get(keyOf(from, numberOf(letter, 'id')));
    if (!work || work.isUnwanted) return;
    work.isUnwanted = true;
    work.abort.abort();
    work.done?.undo?.();
  }

  #onAnswer(letter: Letter, ageMs: number): void {
    const asked = this.#asked.get(numberOf(letter, 'id'));
    if (!asked) return;
    if (letter['error'] === undefined) asked.resolve({ answer: objectOf(letter, 'answer'), ageMs });
    else asked.reject(errorOf(objectOf(letter, 'error')));
  }

  /** What it asked for is broken off; what it was answered stands, since its clients may go on elsewhere. */
  #gone({ name }: Peer): void {
    for (const asked of [...this.#asked.values()]) if (asked.to === name) asked.reject(unanswered(name));
    for (const work of this.#work.values()) if (work.from === name && !work.letter) work.abort.abort();
  }
}

function keyOf({ name, life }: Peer, id: number): string {
  return `${life} ${id} ${name}`;
}

/** Nobody knows whether it was done. */
export function unanswered(to: string): EventManagerError {
  return new EventManagerError('unreachable', 'The process that serves this does not answer.', { servedBy: to });
}

function tooLarge(what: 'question' | 'answer'): EventManagerError {
  return new EventManagerError('internal', `The ${what} is too large to go from one process to another.`);
}

function errorOf(letter: JsonObject): EventManagerError {
  const code = textOf(letter, 'code');
  if (!Object.hasOwn(ERROR_CODES, code)) return new EventManagerError('internal', 'Another process failed.');
  return new EventManagerError(code as ErrorCode, textOf(letter, 'message'), objectOf(letter, 'details'));
}
