import type { BatchHandler, DeliveryContext, Event, EventHandler, HandlerAnswer } from '@event-manager/core';
import { keptMetadata } from '@event-manager/core/portable';
import type { HandlerOutcome } from './answers.ts';

/** How a subscription's events are handled here. */
export interface Handling {
  readonly handler?: EventHandler;
  readonly batchHandler?: BatchHandler;
}

const ERROR_CHARACTERS_MAX = 1_000;
const DELIVERED: HandlerOutcome = { status: 'delivered' };

/** Calls the handler; what it returns and throws means the same as embedded. A promise only where the handler made one. */
export function callHandler(
  { handler, batchHandler }: Handling,
  events: readonly Event[],
  contexts: readonly DeliveryContext[],
): HandlerOutcome | Promise<HandlerOutcome> {
  try {
    const answer = handler ? handler(events[0]!, contexts[0]!) : batchHandler!(events, contexts);
    // Query builders and other libraries answer with promises of their own making.
    return isThenable(answer) ? Promise.resolve(answer).then(outcomeOf, failureOf) : outcomeOf(answer);
  } catch (error) {
    return failureOf(error);
  }
}

function isThenable(answer: unknown): answer is Promise<Awaited<HandlerAnswer>> {
  return typeof (answer as { then?: unknown } | undefined | null)?.then === 'function';
}

function outcomeOf(answer: Awaited<HandlerAnswer>): HandlerOutcome {
  if (answer?.success !== false) return DELIVERED;
  const metadata = keptMetadata(answer.metadata);
  return { status: 'failed', retry: answer.retry !== false, error: describe(answer.error), metadata };
}

function failureOf(error: unknown): HandlerOutcome {
  return { status: 'failed', retry: true, error: describe(error) };
}

function describe(error: unknown): string {
  try {
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error ?? UNSAID);
    return words.slice(0, ERROR_CHARACTERS_MAX).toWellFormed();
  } catch {
    // Not everything that can be thrown has words, and nobody would catch what is thrown here.
    return UNSAID;
  }
}

const UNSAID = 'The handler reported a failure.';
