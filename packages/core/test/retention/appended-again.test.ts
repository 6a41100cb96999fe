import { memory, type Recorded } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { firstAppendedAgain } from '../../src/retention/appended-again.ts';
import { dueKey } from '../../src/schedule/schedule-record.ts';

const recorded = (id: string, position: number) => ({ id, place: { partition: 0, position } }) as Recorded;

/** Removed and appended once more it would be delivered to everybody a second time. */
it('holds an event for later in the log until its schedule record is gone', async () => {
  const time = new VirtualTime();
  const kept = memory({ runtime: { clock: time } });
  await kept.open();
  const nowMs = time.wallMs();
  const log = [recorded('other', 1), recorded('begun', 2), recorded('later', 3)];
  await kept.state.commit([
    { kind: 'schedule-due', key: dueKey(nowMs - 1, 'begun'), value: {} },
    { kind: 'schedule-due', key: dueKey(nowMs + 60_000, 'later'), value: {} },
  ]);
  expect(await firstAppendedAgain(kept.state, log, nowMs)).toBe(2);
  await kept.state.commit([{ kind: 'schedule-due', key: dueKey(nowMs - 1, 'begun') }]);
  expect(await firstAppendedAgain(kept.state, log, nowMs)).toBeUndefined();
});
