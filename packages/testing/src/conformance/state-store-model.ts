import type { JsonValue, Revision, StateChange, StateKind } from '@event-manager/core';
import { expect, it } from 'vitest';
import { SeededChance } from '../seeded-chance.ts';
import type { StartSubject, Subject } from './subject.ts';

const OPERATIONS = 1000;
const KINDS: readonly StateKind[] = ['progress', 'owed'];

type Model = Map<StateKind, Map<string, { value: JsonValue; revision: Revision }>>;

/** Random commits and pages against maps. */
export function stateModelConformance(start: StartSubject): void {
  it.each([1, 2])(`agrees with maps over ${OPERATIONS} operations, seed %i`, async (seed) => {
    const subject = await start();
    const chance = new SeededChance(seed);
    const model: Model = new Map(KINDS.map((kind) => [kind, new Map()]));
    for (let n = 0; n < OPERATIONS; n++) {
      const dice = chance.integer(100);
      if (dice < 60) await commitSome(subject, chance, model);
      else if (dice < 98) await loadSome(subject, chance, model);
      else await subject.throughReopen();
    }
  });
}

async function commitSome(subject: Subject, chance: SeededChance, model: Model): Promise<void> {
  const changes = new Map<string, StateChange>();
  let isStale = false;
  for (let n = 1 + chance.integer(6); n > 0; n--) {
    const change = someChange(chance, model);
    changes.set(`${change.kind}/${change.key}`, change);
  }
  for (const { kind, key, ifRevision } of changes.values()) {
    const revision = model.get(kind)!.get(key)?.revision ?? 0;
    if (ifRevision !== undefined && ifRevision !== revision) isStale = true;
  }
  const commit = subject.state.commit([...changes.values()]);
  if (isStale) {
    await expect(commit).rejects.toMatchObject({ code: 'revision_conflict' });
    return;
  }
  const revision = await commit;
  for (const { kind, key, value } of changes.values()) {
    if (value === undefined) model.get(kind)!.delete(key);
    else model.get(kind)!.set(key, { value, revision });
  }
}

function someChange(chance: SeededChance, model: Model): StateChange {
  const kind = chance.pick(KINDS);
  const key = `${chance.pick(['a/', 'b/', ''])}${chance.integer(40)}`;
  const present = model.get(kind)!.get(key)?.revision ?? 0;
  return {
    kind,
    key,
    ...(chance.happens(0.7) ? { value: { n: chance.integer(1000), text: 'x'.repeat(chance.integer(200)) } } : {}),
    ...(chance.happens(0.3) ? { ifRevision: chance.happens(0.8) ? present : present + 1 } : {}),
  };
}

async function loadSome(subject: Subject, chance: SeededChance, model: Model): Promise<void> {
  const kind = chance.pick(KINDS);
  const prefix = chance.pick(['', 'a/', 'b/1']);
  const after = chance.pick(['', 'a/2', 'b/17', '3']);
  const limit = 1 + chance.integer(50);
  const page = await subject.state.load(kind, { prefix, after, limit });
  const expected = [...model.get(kind)!]
    .filter(([key]) => key.startsWith(prefix) && key > after)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => ({ key, ...entry }));
  expect(page.entries).toEqual(expected.slice(0, limit));
  expect(page.next).toBe(expected.length > limit ? expected[limit - 1]!.key : undefined);
}
