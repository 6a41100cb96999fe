import type { PublishResult } from '../ingest/publish-result.ts';

/** A middleware kept the event back: nothing was stored. */
export interface Filtered {
  readonly filtered: true;
  /** Name of the middleware. */
  readonly by: string;
}

/** The acknowledgement, or word of the middleware that kept the event back. */
export type BusPublishResult = PublishResult | Filtered;

export function isFiltered(result: BusPublishResult): result is Filtered {
  return 'filtered' in result;
}
