import { memory, type Recorded } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { firstAppendedAgain } from '../../src/retention/appended-again.ts';

const recorded = (id: string, position: number) => ({ id, place: { partition: 0, position } }) as Recorded;

/** Removed and appended once more it would be delivered to everybody a second time. */
it('holds what a schedule record promises in the log until that record is gone', async () => {
  const kept = memory({ runtime: { clock: new VirtualTime() } });
  await kept.open();
  const log = [recorded('other', 1), recorded('later', 2), recorded('letter', 3)];
  expect(await firstAppendedAgain(kept.state, log)).toBeUndefined();
  await kept.state.commit([
    { kind: 'schedule-event', key: 'later', value: {} },
    { kind: 'schedule-event', key: 'not appended yet', value: {} },
    { kind: 'schedule', key: 'dead-letter/a', value: { id: 'letter' } },
  ]);
  expect(await firstAppendedAgain(kept.state, log)).toBe(2);
  await kept.state.commit([{ kind: 'schedule-event', key: 'later' }]);
  expect(await firstAppendedAgain(kept.state, log)).toBe(3);
  await kept.state.commit([{ kind: 'schedule', key: 'dead-letter/a' }]);
  expect(await firstAppendedAgain(kept.state, log)).toBeUndefined();
});
