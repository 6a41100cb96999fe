import type { StateChange, StateStore } from '../../contracts/state-store.ts';
import type { JsonObject } from '../../json.ts';
import { PageSize } from '../../page-size.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { RunPart, RunRecord } from '../run.ts';
import { partChange } from '../run-records.ts';
import { closedBy } from './closed-by.ts';
import { cursorOf, LetterSource } from './letter-source.ts';
import type { LettersRunRequest } from './letters-part.ts';

const LOOK = { most: 200, bytesMax: 1024 * 1024 };

/**
 * Discards the letters of a subscription that was removed: nobody serves it, so nobody else writes its letters either. Killed
 * half-way the part stays open, until somebody cancels the run; whoever discards again finds what is left.
 */
export async function discardUnserved(
  state: StateStore,
  run: RunRecord,
  begun: RunPart,
  { clock, timers }: Pick<Runtime, 'clock' | 'timers'>,
): Promise<void> {
  const { subscriptionId } = begun;
  const { selection } = run.request as unknown as LettersRunRequest;
  const source = new LetterSource({ state, subscriptionId, runId: run.id, selection });
  const wallMs = () => clock.wallMs();
  const size = new PageSize(LOOK);
  let part = begun;
  while (part.state === 'open') {
    const { found, next, looked, bytes } = await source.look(cursorOf(part.at), size.limit);
    size.saw(looked, bytes);
    const open = found.filter(({ letter }) => letter.state === 'open');
    const changes = open.map(({ key, letter }): StateChange => {
      const value = { ...letter, state: 'discarded', closed: closedBy(run, wallMs()) };
      return { kind: 'dead-letter', key, value: value as unknown as JsonObject };
    });
    const { counts } = part;
    const skipped = counts.skipped + found.length - open.length;
    const after = { ...part, counts: { ...counts, done: counts.done + open.length, skipped } };
    part = next ? { ...after, at: next as JsonObject } : { ...after, state: 'done', endedAtMs: wallMs(), at: {} };
    await state.commit([partChange(run.id, part), ...changes]);
    await new Promise<void>((resolve) => timers.soon(resolve));
  }
}
