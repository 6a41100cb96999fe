import type { ErrorCode, EventManagerError } from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';

/**
 * Refusals that the state of the service explains: it drains, the disk is full, the store is damaged. At ten thousand requests
 * per second a line for each would bury what matters and help to fill the disk; so the first is told, and how many there
 * were is told when a request succeeds again or the reason is another one.
 */
export class RefusalLog {
  readonly #logger: FastifyBaseLogger;
  #code: ErrorCode | undefined;
  #count = 0;

  constructor(logger: FastifyBaseLogger) {
    this.#logger = logger;
  }

  refused(error: EventManagerError): void {
    const { code, message } = error;
    if (code !== this.#code) {
      this.ended();
      this.#code = code;
      // Why a store failed is nowhere else; the other states are what they say.
      if (code === 'store_failed') this.#logger.error({ code, err: error }, 'refusing requests');
      else this.#logger.warn({ code }, `refusing requests: ${message}`);
    }
    this.#count++;
  }

  /** Something was taken again, or nobody will ask any more. */
  ended(): void {
    if (this.#code === undefined) return;
    this.#logger.warn({ code: this.#code, count: this.#count }, 'refused requests');
    this.#code = undefined;
    this.#count = 0;
  }
}
