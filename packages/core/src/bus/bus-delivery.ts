/**
 * One attempt as a handler of the bus sees it: the context of the engine, with `ack` and `nack`.
 *
 *     called ──ack──▶ delivered
 *       │ ────nack, throws, answers with a failure──▶ failed: retried by the policy
 *       │ ────returns──▶ delivered with `autoAck`; without it the attempt goes on until something is said
 *       └──the time limit passes──▶ failed, by the engine
 *
 * What is said first counts, also of a handler that throws afterwards, and whoever says something later is told that it came too late. A crash before the answer means that
 * the event is delivered again, as after any attempt.
 */
import type { ReplayMark } from '../contracts/sink.ts';
import { type DeliveryContext, HANDED_OVER, type HandlerAnswer, type HandlerResult } from '../sink/handler-sink.ts';

/** What a handler of the bus is told beside the event, and how it may answer. */
export interface BusContext extends DeliveryContext {
  /** The event is handled. True when this settled the attempt; false when it was settled or given up before. Needs no `this`. */
  ack(): boolean;
  /** It is not: `error` is kept with the attempt, and with `retry: false` it becomes a dead letter at once. True as for `ack`. */
  nack(error?: unknown, options?: { readonly retry?: boolean }): boolean;
}

type Handler<Received> = (event: Received, context: BusContext) => unknown;

/** The handler as the engine calls it. */
export function deliveredTo<Received>(handler: Handler<Received>, autoAck: boolean) {
  return autoAck ? settledByReturn(handler) : settledByWord(handler);
}

function settledByReturn<Received>(handler: Handler<Received>) {
  return (event: Received, context: DeliveryContext): HandlerAnswer => {
    const delivery = new BusDelivery(context);
    const failed = (error: unknown) => delivery.endBy(error);
    let answer: HandlerAnswer;
    try {
      answer = handler(event, delivery) as HandlerAnswer;
    } catch (error) {
      return failed(error);
    }
    if (typeof (answer as { then?: unknown } | undefined)?.then !== 'function') {
      return delivery.end() ?? (answer as HandlerResult | undefined);
    }
    return Promise.resolve(answer).then((result) => delivery.end() ?? result, failed);
  };
}

function settledByWord<Received>(handler: Handler<Received>) {
  return (event: Received, context: DeliveryContext): Promise<HandlerResult> =>
    new Promise((resolve) => {
      const { signal } = context;
      // The engine has settled it by then, and waits for the end of the call before the next attempt.
      const aborted = () => resolve({ success: false, error: signal.reason });
      // A signal that is aborted tells nobody any more.
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted, { once: true });
      const delivery = new BusDelivery(context, (result) => {
        // That of a replay is one for all its events.
        signal.removeEventListener('abort', aborted);
        resolve(result);
      });
      const run = async () => (await handler(event, delivery)) as HandlerResult | undefined;
      const failed = (error: unknown) => void delivery.nack(error);
      run().then((result) => {
        if (result?.success === false) delivery.say(result);
        else handedOver(context);
      }, failed);
    });
}

/** Whoever published waits for the handler, and not for the word that may come much later. */
function handedOver(context: DeliveryContext & { [HANDED_OVER]?(): void }): void {
  context[HANDED_OVER]?.();
}

class BusDelivery implements BusContext {
  readonly #context: DeliveryContext;
  readonly #onSaid: ((result: HandlerResult) => void) | undefined;
  #said: HandlerResult | undefined;
  #isOver = false;

  constructor(context: DeliveryContext, onSaid?: (result: HandlerResult) => void) {
    this.#context = context;
    this.#onSaid = onSaid;
  }

  get subscriptionId(): string {
    return this.#context.subscriptionId;
  }

  get attempt(): number {
    return this.#context.attempt;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get replay(): ReplayMark {
    // Absent is not the same as undefined to the compiler, and a getter cannot be absent.
    return this.#context.replay as ReplayMark;
  }

  get life(): string {
    return this.#context.life as string;
  }

  /** Made when it is asked for, so that it needs no `this` and costs nothing where nobody asks. */
  get ack(): BusContext['ack'] {
    return () => this.say({ success: true });
  }

  get nack(): BusContext['nack'] {
    return (error, { retry = true } = {}) => this.say({ success: false, error, retry });
  }

  say(result: HandlerResult): boolean {
    if (this.#isOver || this.#said || this.#context.signal.aborted) return false;
    this.#said = result;
    this.#onSaid?.(result);
    return true;
  }

  /** The handler has returned. What it said before, if anything. */
  end(): HandlerResult | undefined {
    this.#isOver = true;
    return this.#said;
  }

  /** The handler has thrown. What it said before counts; throws the error where it said nothing. */
  endBy(error: unknown): HandlerResult {
    const said = this.end();
    if (!said) throw error;
    return said;
  }
}
