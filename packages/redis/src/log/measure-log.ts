import type { Bounds } from '@event-manager/core';
import { MEASURE_LOG } from '../lua/measure-log.ts';
import { followBranch } from './follow-branch.ts';
import type { LogCore } from './log-core.ts';

export async function measureLog(core: LogCore): Promise<readonly Bounds[]> {
  const reply = await core.connection.ask(MEASURE_LOG);
  const [head, trimmed, bytes, events, branch] = reply as [number, number, number, number, number];
  if (branch !== core.branch.number) await followBranch(core);
  core.branch.saw(head);
  return [{ partition: 0, first: trimmed + 1, head, bytes, events }];
}
