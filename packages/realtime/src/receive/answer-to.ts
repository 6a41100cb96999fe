import type { DeliveryContext, Event, EventHandler, JsonObject } from '@event-manager/core';
import { keptMetadata } from '@event-manager/core/portable';

/** What the bus is told of one delivery. */
export type HandlerAnswerFrame =
  | { readonly type: 'ack' }
  | {
      readonly type: 'nack';
      readonly retry: boolean;
      readonly error: string;
      readonly metadata?: JsonObject | undefined;
    };

const ERROR_CHARACTERS_MAX = 1_000;
const UNSAID = 'The handler reported a failure.';

/** Calls a handler; never rejects. */
export async function answerTo(
  handler: EventHandler,
  event: Event,
  context: DeliveryContext,
): Promise<HandlerAnswerFrame> {
  try {
    const answer = await handler(event, context);
    if (answer?.success !== false) return { type: 'ack' };
    const metadata = keptMetadata(answer.metadata);
    return { type: 'nack', retry: answer.retry !== false, error: wordsOf(answer.error), metadata };
  } catch (error) {
    return { type: 'nack', retry: true, error: wordsOf(error) };
  }
}

function wordsOf(error: unknown): string {
  try {
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error ?? UNSAID);
    return words.slice(0, ERROR_CHARACTERS_MAX).toWellFormed();
  } catch {
    // Not everything that can be thrown has words.
    return UNSAID;
  }
}
