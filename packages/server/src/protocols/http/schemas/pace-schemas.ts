import { EventPriority } from '@event-manager/core';
import Type, { type TSchema } from 'typebox';
import { spelled } from './component.ts';
import { wholeSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const RATE_MAX = 1_000_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const COUNT = Type.Integer({ minimum: 0 });
const WAIT = Type.Number({ minimum: 0 });

/** How fast a subscription is delivered to, among its options. */
export function paceFields(): Readonly<
  Record<'rateLimitPerMinute' | 'flushIntervalMs' | 'smartBatching' | 'agingMs', TSchema>
> {
  return {
    rateLimitPerMinute: Type.Optional(
      wholeSchema(0, RATE_MAX, {
        description: 'Attempts in any 60 seconds, also across restarts; the rest waits. 0 is no limit.',
        ...spelled('rateLimit'),
      }),
    ),
    flushIntervalMs: Type.Optional(
      wholeSchema(0, MINUTE_MS, {
        default: 0,
        description: 'How long a batch may wait for company while the receiver is busy; needs a batchSize above 1.',
        ...spelled('flushInterval'),
      }),
    ),
    smartBatching: Type.Optional(
      Type.Boolean({
        default: false,
        description: '`true`: batchSize 20 and flushIntervalMs 100, unless they are given.',
        ...spelled('batchingEnabled'),
      }),
    ),
    agingMs: Type.Optional(
      wholeSchema(0, DAY_MS, {
        default: 0,
        description:
          'An event counts one priority more urgent for each such time that it waited. 0 is never. Not beside an order.',
      }),
    ),
  };
}

/** As the options are shown; what nobody gave is not there. */
export const PACE_OPTIONS: Readonly<Record<'rateLimitPerMinute' | 'flushIntervalMs' | 'agingMs', TSchema>> = {
  rateLimitPerMinute: Type.Optional(Type.Integer({ minimum: 1 })),
  flushIntervalMs: Type.Optional(Type.Integer({ minimum: 1 })),
  agingMs: Type.Optional(Type.Integer({ minimum: 1 })),
};

const LANE = Type.Object(
  {
    waiting: COUNT,
    oldestMs: Type.Optional(Type.Integer({ minimum: 0, description: 'How long the first of those has waited.' })),
    begun: COUNT,
    waitMeanMs: WAIT,
    waitMaxMs: WAIT,
  },
  CLOSED,
);

export const LANE_STATUSES = Type.Object(Object.fromEntries(Object.keys(EventPriority).map((lane) => [lane, LANE])), {
  ...CLOSED,
  description: 'What waits, and how long first attempts were waited for, by priority.',
});

export const RATE_LEFT = Type.Integer({
  minimum: 0,
  description: 'Attempts that it may still make in the minute that ends now.',
});
