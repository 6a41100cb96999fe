import type { EventManagerClient } from '@event-manager/client';
import {
  type EventIn,
  type EventManagerError,
  isEventManagerError,
  type PublishResult,
  parseJson,
} from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure, endingOf } from '../../exit-codes.ts';
import { type EventText, readEventInput } from '../../input/event-input.ts';
import { orAborted } from '../../input/or-aborted.ts';
import { untilAborted } from '../../input/until-aborted.ts';
import { failureWords } from '../../output/failure-words.ts';
import { Output } from '../../output/output.ts';
import { ProgressBar } from '../../output/progress-bar.ts';
import { connect } from '../../service/connect.ts';
import type { PublishFlags } from './route.ts';

/** Unanswered events: the client puts what waits together into frames, and a window of this size keeps it busy. */
const UNDER_WAY_MAX = 2_000;
/** The service has the last word; this only keeps the parser off the end of its stack. */
const DEPTH_MAX = 500;
/** After Ctrl-C what is under way is still counted, for so long. */
const LAST_ANSWERS_MS = 5_000;

type Answer = PublishResult | { readonly error: EventManagerError };

/** Publishes what the input holds, in its order and as fast as the service takes it. */
export async function publishMany(
  context: CliContext,
  flags: PublishFlags,
  input: NodeJS.ReadableStream & { destroy?(): void },
  defaults: object,
): Promise<void> {
  const output = new Output(context, flags);
  const client = await connect(context, flags, (words) => output.note(words));
  const upload = new Upload(context, output, client, defaults);
  const { signal } = context.interruption;
  try {
    await context.interruptible(() => upload.run(input as AsyncIterable<Uint8Array>));
    await upload.report();
  } finally {
    // An input that is not read to its end would keep the process alive.
    input.destroy?.();
    // It waits for what is under way, which whoever pressed Ctrl-C did long enough.
    const closed = client.close();
    closed.catch(() => {});
    if (!signal.aborted) await closed;
  }
}

class Upload {
  readonly #context: CliContext;
  readonly #output: Output;
  readonly #client: EventManagerClient;
  readonly #defaults: object;
  readonly #bar: ProgressBar;
  readonly #sinceMs: number;
  /** Each resolves when its event and all before it are answered and told. */
  readonly #told: Promise<void>[] = [];
  readonly #counts = { stored: 0, scheduled: 0, duplicates: 0, refused: 0 };
  #sent = 0;
  #answered = 0;
  /** Why the service takes no more; the rest of the input is not read. */
  #lost: EventManagerError | undefined;
  #unreadable: string | undefined;

  constructor(context: CliContext, output: Output, client: EventManagerClient, defaults: object) {
    const { environment, runtime } = context.surroundings;
    this.#context = context;
    this.#output = output;
    this.#client = client;
    this.#defaults = defaults;
    this.#sinceMs = runtime.clock.monotonicMs();
    this.#bar = new ProgressBar({ stream: output.progressStream, clock: runtime.clock, environment, unit: 'events' });
  }

  async run(input: AsyncIterable<Uint8Array>): Promise<void> {
    const { signal } = this.#context.interruption;
    const { timers } = this.#context.surroundings.runtime;
    const giveUp = new AbortController();
    signal.addEventListener('abort', () => timers.after(LAST_ANSWERS_MS, () => giveUp.abort(), true));
    try {
      for await (const event of untilAborted(readEventInput(input), signal)) {
        this.#send(event);
        if (this.#told.length >= UNDER_WAY_MAX) await orAborted(this.#told.shift()!, giveUp.signal);
        if (this.#lost !== undefined) break;
      }
    } catch (error) {
      // An array that is none, or bytes that are no UTF-8; what came before is stored.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      this.#unreadable = error.message;
    }
    await orAborted(this.#told.at(-1) ?? Promise.resolve(), giveUp.signal);
    this.#bar.end();
  }

  async report(): Promise<void> {
    const { stored, scheduled, duplicates, refused } = this.#counts;
    // The service may have stored them or not: it went away, or nobody waited any longer.
    const unanswered = this.#sent - stored - scheduled - duplicates - refused;
    const number = (value: number) => value.toLocaleString('en-US');
    const elapsedMs = this.#context.surroundings.runtime.clock.monotonicMs() - this.#sinceMs;
    const rate = number(Math.round((this.#answered * 1_000) / Math.max(1, elapsedMs)));
    const later = scheduled === 0 ? '' : `, ${number(scheduled)} scheduled`;
    const known = `${number(stored)} stored${later}, ${number(duplicates)} stored before, ${number(refused)} refused`;
    const unknown = unanswered === 0 ? '' : `, ${number(unanswered)} unanswered`;
    await this.#output.result({ ...this.#counts, unanswered }, () => [`${known}${unknown} (${rate}/s)`]);
    if (this.#unreadable !== undefined) {
      throw new CommandFailure('wrongUse', `the input cannot be read to its end: ${this.#unreadable}`);
    }
    if (this.#lost !== undefined && !this.#context.interruption.signal.aborted) throw this.#lost;
    if (refused > 0) this.#context.end(stored + scheduled + duplicates > 0 ? 'partly' : 'failed');
  }

  #publish({ text }: EventText): Promise<Answer> {
    try {
      const event = parseJson(text, { depthMax: DEPTH_MAX }) as object;
      return this.#client.publish(withDefaults(this.#defaults, event) as EventIn).catch(asAnswer);
    } catch (error) {
      return Promise.resolve(asAnswer(error));
    }
  }

  /** Answers are told in the order of the input, as soon as they are there. */
  #send(event: EventText): void {
    this.#sent += 1;
    const answer = this.#publish(event);
    const told = (this.#told.at(-1) ?? Promise.resolve()).then(async () => this.#tell(event.line, await answer));
    // Whoever waits for it is told; nobody may be waiting yet.
    told.catch(() => {});
    this.#told.push(told);
  }

  async #tell(line: number, answer: Answer): Promise<void> {
    const index = this.#answered++;
    this.#bar.update(this.#answered);
    if ('error' in answer) {
      this.#takeError(line, answer.error);
    } else if (answer.duplicate) this.#counts.duplicates += 1;
    else if (answer.scheduledFor !== undefined) this.#counts.scheduled += 1;
    else this.#counts.stored += 1;
    if (this.#output.json) await this.#output.result(lineOf(index, line, answer), () => []);
  }

  #takeError(line: number, error: EventManagerError): void {
    if (endingOf(error) === 'unreachable' || error.kind === 'closed') {
      this.#lost ??= error;
      return;
    }
    this.#counts.refused += 1;
    if (this.#output.json) return;
    this.#bar.end();
    this.#output.warning(`line ${line}: ${failureWords(error)}`);
  }
}

const TIMES = ['deliverAt', 'deliver_at', 'delayMs', 'delay_ms'];

/** An event that says when it is to be delivered keeps its own time, in whatever words. */
function withDefaults(defaults: object, event: object): object {
  const { metadata } = event as { readonly metadata?: unknown };
  const isIn = (given: unknown) => typeof given === 'object' && given !== null && TIMES.some((name) => name in given);
  if (!isIn(event) && !isIn(metadata)) return { ...defaults, ...event };
  const kept = Object.entries(defaults).filter(([name]) => !TIMES.includes(name));
  return { ...Object.fromEntries(kept), ...event };
}

function lineOf(index: number, line: number, answer: Answer): object {
  if (!('error' in answer)) return { index, ...answer };
  const { code, message, retryable, details } = answer.error;
  return { index, line, error: { code, detail: message, retryable, ...details } };
}

function asAnswer(error: unknown): Answer {
  if (isEventManagerError(error)) return { error };
  throw error;
}
