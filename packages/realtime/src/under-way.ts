import type { Outcome } from '@event-manager/core';
import type { DeliveryGroup } from './delivery-group.ts';
import type { Answer } from './frames/read-answer.ts';

/** How long an answer that comes after its time still frees the place that its attempt holds. */
const LATE_MS = 30_000;
const TOO_LARGE = { code: 'frame_too_large', message: 'The receiver takes no frame so large.' };

/**
 * The deliveries that were sent and wait for their answer, by number. A number is never used twice, so that an answer that
 * comes late, twice, or from an earlier connection, finds nothing.
 */
export class UnderWay {
  readonly #sent = new Map<number, { readonly group: DeliveryGroup; readonly index: number }>();
  #last = 0;

  get size(): number {
    return this.#sent.size;
  }

  /** The number of the delivery that is being sent. */
  add(group: DeliveryGroup): number {
    this.#last++;
    this.#sent.set(this.#last, { group, index: group.next++ });
    return this.#last;
  }

  /** Returns how many deliveries it answered. */
  take(answer: Exclude<Answer, { type: 'ping' }>): number {
    const outcome = outcomeOf(answer);
    let answered = 0;
    for (const number of answer.deliveries) if (this.#settle(number, outcome)) answered++;
    return answered;
  }

  /** The connection is lost: nobody knows what was handled, and it was nobody's fault. */
  release(): void {
    for (const number of [...this.#sent.keys()]) this.#settle(number, { status: 'release' });
  }

  /** A frame was too large for the receiver: most likely that of the largest one. Alone it will fit, or be a dead letter. */
  refuseLargest(): void {
    let largest: number | undefined;
    let bytesMax = -1;
    for (const [number, { group, index }] of this.#sent) {
      const bytes = group.batch[index]!.record.body.length;
      if (bytes > bytesMax) [largest, bytesMax] = [number, bytes];
    }
    if (largest !== undefined) this.#settle(largest, { status: 'retry', error: TOO_LARGE });
  }

  /** Ends attempts that the engine has given up long ago. */
  sweep(nowMs: number): void {
    for (const [number, { group }] of this.#sent) {
      if (group.deadlineAtMs + LATE_MS < nowMs) this.#settle(number, { status: 'release' });
    }
  }

  #settle(number: number, outcome: Outcome): boolean {
    const sent = this.#sent.get(number);
    if (!sent) return false;
    this.#sent.delete(number);
    sent.group.settle(sent.index, outcome);
    return true;
  }
}

function outcomeOf(answer: Exclude<Answer, { type: 'ping' }>): Outcome {
  if (answer.type === 'ack') return { status: 'delivered' };
  if (answer.type === 'release') return { status: 'release' };
  const { retry, error: message, afterMs, metadata } = answer;
  const error = { code: 'handler_error', message, ...(metadata ? { metadata } : {}) };
  if (!retry) return { status: 'reject', error };
  return { status: 'retry', error, ...(afterMs === undefined ? {} : { afterMs }) };
}
