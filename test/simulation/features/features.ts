import { breaker } from './breaker.ts';
import { deadLetterTopic } from './dead-letter-topic.ts';
import { expiry } from './expiry.ts';
import type { Feature, RunFeature } from './feature.ts';
import { gone } from './gone.ts';
import { order } from './order.ts';
import { pause } from './pause.ts';
import { update } from './update.ts';

/** Everything that a seed can switch on for a subscription. */
export const FEATURES: Readonly<Record<string, Feature>> = {
  pause,
  update,
  gone,
  deadLetterTopic,
  order,
  breaker,
};

/** Everything that a seed can switch on for a run. */
export const RUN_FEATURES: Readonly<Record<string, RunFeature>> = { expiry };
