import { ANONYMOUS, decodeEvent, EventManagerError } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, type EngineUnderTest } from '../open-engine.ts';
import { requires, requiredFields as schemas } from './required-fields.ts';

const FIELDS = ['a', 'b', 'c'] as const;
const TOPIC = 'order.created';

interface Step {
  readonly kind: 'publish' | 'add';
  readonly fields: readonly string[];
  readonly trusted?: boolean;
  readonly startMs: number;
}

const fields = fc.subarray([...FIELDS]);
const startMs = fc.nat({ max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), fields, trusted: fc.boolean(), startMs }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), fields, startMs }) },
);
/** Steps that are taken at about the same time, one round after the other; after a round the process may begin anew. */
const rounds = fc.array(fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 8 }), reopens: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
});

/** Lets the store answer late, so that what is done at once overlaps in every way. */
const delays = fc.infiniteStream(fc.nat({ max: 3 }));

async function take(world: EngineUnderTest, step: Step): Promise<'taken' | string> {
  await new Promise<void>((resolve) => void world.time.after(step.startMs, resolve));
  const payload = Object.fromEntries(step.fields.map((name) => [name, 1]));
  try {
    if (step.kind === 'publish') {
      await world.engine.publish(ANONYMOUS, anEvent({ type: TOPIC, payload }), { trusted: step.trusted ?? false });
    } else {
      await world.engine.topics.addSchema(ANONYMOUS, TOPIC, { schema: requires(...step.fields) });
    }
    return 'taken';
  } catch (error) {
    if (error instanceof EventManagerError) return error.code;
    throw error;
  }
}

async function unfitting(world: EngineUnderTest): Promise<string[]> {
  const { schema } = world.engine.topics.get(ANONYMOUS, TOPIC);
  const { required = [] } = (schema ?? {}) as { required?: string[] };
  const query = { limit: 1_000, direction: 'forward' } as const;
  const { records } = await world.time.run(world.engine.history.find(ANONYMOUS, { topic: TOPIC }, query));
  const payloads = records.map(({ body }) => decodeEvent(body).payload);
  return payloads.filter((payload) => required.some((name) => !Object.hasOwn(payload, name))).map(String);
}

/** What `backward` promises: whoever reads with the latest version can read all that is stored. */
it('whatever is published and changed at once, every stored event fits the latest version', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(rounds, delays, async (plan, delay) => {
      const { kept, open, time } = durableWorld();
      kept.interfere = async () => {
        const ms = delay.next().value;
        if (ms > 0) await new Promise<void>((resolve) => void time.after(ms, resolve));
      };
      let world = await open({ schemas });
      await time.run(world.engine.topics.create(ANONYMOUS, { topic: TOPIC }));
      for (const { steps, reopens } of plan) {
        const answers = await time.run(Promise.all(steps.map((one) => take(world, one))));
        for (const [at, answer] of answers.entries()) seen.add(`${steps[at]!.kind} ${answer}`);
        expect(await unfitting(world)).toEqual([]);
        if (!reopens) continue;
        await world.close();
        world = await open({ schemas });
      }
      await world.close();
    }),
    { numRuns: 300 },
  );
  // Had nothing been refused, nothing would have been shown.
  expect([...seen].sort()).toEqual([
    'add schema_incompatible',
    'add taken',
    'publish schema_violation',
    'publish taken',
  ]);
});
