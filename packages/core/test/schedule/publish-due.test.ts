import { type Appendable, memory } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { Timetable } from '../../src/dispatch/timetable.ts';
import { encodeEvent } from '../../src/event/encode-event.ts';
import { DueWindow } from '../../src/schedule/due-window.ts';
import { PublishDue } from '../../src/schedule/publish-due.ts';
import { removalChanges, type ScheduledAppendable, scheduleChanges } from '../../src/schedule/schedule-record.ts';
import { runtimeOn } from '../open-engine.ts';

const ID = '0198c0de-0000-7000-8000-000000000001';

function later(n: number, deliverAtMs: number): ScheduledAppendable {
  const body = encodeEvent(JSON.stringify({ n }));
  return { id: ID, topic: 'a', lane: 2, flags: 0, type: 'a', source: 's', timestampMs: 0, deliverAtMs, body };
}

/** Its place in the order went with that of the cancelled one: acknowledged, and never published. */
it('publishes an event that another process cancelled and scheduled anew for the same time meanwhile', async () => {
  const time = new VirtualTime();
  const runtime = runtimeOn(time);
  const kept = memory({ runtime: { clock: time } });
  await kept.open();
  const { state } = kept;
  const appended: string[] = [];
  const fail = (error: unknown) => {
    throw error;
  };
  const publishing = new PublishDue({
    ...{ state, runtime, sharedAs: 'this one', onDone: () => {}, onFailure: fail },
    window: new DueWindow(state, time),
    timetable: new Timetable(time, time),
    append: async ({ body }: Appendable) => void appended.push(Buffer.from(body).toString()),
  });
  const dueMs = time.wallMs();
  await state.commit(scheduleChanges(later(1, dueMs), 0));

  const get = state.get.bind(state);
  let isFirst = true;
  state.get = async (kind, keys) => {
    if (kind !== 'schedule-event' || !isFirst) return get(kind, keys);
    isFirst = false;
    await state.commit(removalChanges(dueMs, ID));
    const found = await get(kind, keys);
    await state.commit(scheduleChanges(later(2, dueMs), 0));
    return found;
  };
  publishing.poke();
  await time.advance(5_000);
  expect(appended).toEqual(['{"n":2}']);
  expect((await state.load('schedule-due', { limit: 9 })).entries).toEqual([]);
  await time.run(publishing.stop());
});
