import Type, { type TSchema } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const DAY_MS = 24 * 3_600_000;
const FAILURES_MAX = 1_000;
const COUNT = Type.Integer({ minimum: 0 });
const MOMENT = Type.String({ format: 'date-time' });

/** What becomes of a receiver that fails, among the options of a subscription. */
export function failureFields(): Readonly<Record<'breaker' | 'disableAfterMs' | 'useDLQ', TSchema>> {
  return {
    breaker: Type.Optional(
      Type.Union([Type.Boolean(), component('BreakerPolicyIn')], {
        description: 'Attempts nothing for a while after so many failures in a row; `true` is the default policy.',
        ...spelled('circuitBreaker'),
      }),
    ),
    disableAfterMs: Type.Optional(
      wholeSchema(0, 365 * DAY_MS, {
        default: 5 * DAY_MS,
        description: 'Nothing but failures for so long stops the subscription; 0 never.',
        ...spelled('disableAfter'),
      }),
    ),
    useDLQ: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'Without it no event on `deadLetterTopic`; dead letters are kept in any case.',
        ...spelled('useDlq'),
      }),
    ),
  };
}

export const FAILURE_SCHEMAS: Components = {
  BreakerPolicyIn: Type.Object(
    {
      failures: Type.Optional(
        wholeSchema(1, FAILURES_MAX, {
          default: 10,
          description: 'Failures in a row that open it.',
          ...spelled('failureThreshold'),
        }),
      ),
      windowMs: Type.Optional(
        wholeSchema(1, DAY_MS, { default: 300_000, description: 'Within which they come.', ...spelled('window') }),
      ),
      openMs: Type.Optional(
        wholeSchema(1, DAY_MS, {
          default: 30_000,
          description: 'How long it stays open at first; doubled by each probe that fails, to five minutes.',
          ...spelled('open', 'resetTimeout', 'resetTimeoutMs'),
        }),
      ),
    },
    CLOSED,
  ),
};

/** As the options are shown; what nobody gave is not there. */
export const FAILURE_OPTIONS: Readonly<Record<'breaker' | 'disableAfterMs' | 'useDLQ', TSchema>> = {
  breaker: Type.Optional(
    Type.Union([Type.Literal(false), Type.Object({ failures: COUNT, windowMs: COUNT, openMs: COUNT }, CLOSED)]),
  ),
  disableAfterMs: Type.Optional(COUNT),
  useDLQ: Type.Optional(Type.Boolean()),
};

export const STOPPED_REASON = Type.Object(
  { code: Type.String({ description: '`failing`, or what the receiver said.' }), message: Type.String(), at: MOMENT },
  { ...CLOSED, description: 'Why nothing is delivered until somebody resumes.' },
);

export const RECEIVER_STATUS = Type.Object(
  {
    breaker: Type.Optional(wordSchema(['closed', 'open', 'half-open'])),
    failuresInARow: COUNT,
    failingSince: Type.Optional(MOMENT),
    attemptsAgainAt: Type.Optional(MOMENT),
  },
  { ...CLOSED, description: 'How its receiver is, where it has an endpoint or a breaker.' },
);

export const RECEIVER_METRICS = Type.Object(
  {
    breakers: Type.Object({ closed: COUNT, open: COUNT, 'half-open': COUNT }),
    breakersOpened: COUNT,
    breakersClosed: COUNT,
    pauses: COUNT,
    disabled: COUNT,
    gone: COUNT,
  },
  { description: 'What became of receivers since the start, and how their breakers are.' },
);
