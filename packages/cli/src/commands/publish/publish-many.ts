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
  await using client = await connect(context, flags, (words) => output.note(words));
  const upload = new Upload(context, output, client, defaults);
  const { timers } = context.surroundings.runtime;
  await context.interruptible(async (signal) => {
    signal.addEventListener('abort', () => timers.after(LAST_ANSWERS_MS, () => void client.close()));
    await upload.run(input as AsyncIterable<Uint8Array>, signal);
    if (signal.aborted) input.destroy?.();
  });
  await upload.report();
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
  readonly #counts = { stored: 0, duplicates: 0, refused: 0 };
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

  async run(input: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of untilAborted(readEventInput(input), signal)) {
        this.#send(event);
        if (this.#told.length >= UNDER_WAY_MAX) await this.#told.shift();
        if (this.#lost !== undefined) break;
      }
    } catch (error) {
      // An array that is none, or bytes that are no UTF-8; what came before is stored.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      this.#unreadable = error.message;
    }
    await this.#told.at(-1);
    this.#bar.end();
  }

  async report(): Promise<void> {
    const { stored, duplicates, refused } = this.#counts;
    const number = (value: number) => value.toLocaleString('en-US');
    const elapsedMs = this.#context.surroundings.runtime.clock.monotonicMs() - this.#sinceMs;
    const rate = number(Math.round((this.#answered * 1_000) / Math.max(1, elapsedMs)));
    await this.#output.result({ stored, duplicates, refused }, () => [
      `${number(stored)} stored, ${number(duplicates)} stored before, ${number(refused)} refused (${rate}/s)`,
    ]);
    if (this.#unreadable !== undefined) {
      throw new CommandFailure('wrongUse', `the input cannot be read to its end: ${this.#unreadable}`);
    }
    if (this.#lost !== undefined) throw this.#lost;
    if (refused > 0) this.#context.end(stored + duplicates > 0 ? 'partly' : 'failed');
  }

  #publish({ text }: EventText): Promise<Answer> {
    try {
      const event = parseJson(text, { depthMax: DEPTH_MAX }) as object;
      return this.#client.publish({ ...this.#defaults, ...event } as EventIn).catch(asAnswer);
    } catch (error) {
      return Promise.resolve(asAnswer(error));
    }
  }

  /** Answers are told in the order of the input, as soon as they are there. */
  #send(event: EventText): void {
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
      this.#counts.refused += 1;
      if (endingOf(answer.error) === 'unreachable' || answer.error.kind === 'closed') this.#lost ??= answer.error;
      else this.#tellRefusal(line, answer.error);
    } else if (answer.duplicate) this.#counts.duplicates += 1;
    else this.#counts.stored += 1;
    if (this.#output.json) await this.#output.result(lineOf(index, line, answer), () => []);
  }

  #tellRefusal(line: number, error: EventManagerError): void {
    if (this.#output.json) return;
    this.#bar.end();
    this.#output.warning(`line ${line}: ${failureWords(error)}`);
  }
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
