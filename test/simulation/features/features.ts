import { batches } from './batches.ts';
import { breaker } from './breaker.ts';
import { deadLetterTopic } from './dead-letter-topic.ts';
import { deliverLater } from './deliver-later.ts';
import { expiry } from './expiry.ts';
import type { Feature, RunFeature } from './feature.ts';
import { gone } from './gone.ts';
import { members } from './members.ts';
import { order } from './order.ts';
import { pause } from './pause.ts';
import { pull } from './pull.ts';
import { rateLimit } from './rate-limit.ts';
import { redrive } from './redrive.ts';
import { relevance } from './relevance.ts';
import { replay } from './replay.ts';
import { reset } from './reset.ts';
import { retention } from './retention.ts';
import { sleep } from './sleep.ts';
import { update } from './update.ts';

/** Everything that a seed can switch on for a subscription. */
export const FEATURES: Readonly<Record<string, Feature>> = {
  pause,
  update,
  gone,
  deadLetterTopic,
  order,
  breaker,
  rateLimit,
  batches,
  members,
  pull,
  relevance,
  replay,
  redrive,
  reset,
};

/** Everything that a seed can switch on for a run. */
export const RUN_FEATURES: Readonly<Record<string, RunFeature>> = { expiry, deliverLater, retention, sleep };
