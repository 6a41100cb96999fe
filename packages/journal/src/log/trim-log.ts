import type { LostRange } from '@event-manager/core';
import { indexFileOf } from '../files/file-names.ts';
import { readOnly } from './append-log.ts';
import type { OpenLog } from './event-log.ts';

/**
 * Gives up everything at or below `through`. The witness says so first, durably; from then on those records do not exist
 * for anybody, and segments that hold nothing else are removed. A crash in the middle is finished by the next opening, and a
 * file that is missing without that note is damage.
 */
export function trimLog({ core, appending, known, witness }: OpenLog, upTo: number): Promise<readonly LostRange[]> {
  return appending.betweenBatches(async () => {
    core.failStop.assertRunning();
    if (core.damage.any) throw readOnly();
    const through = Math.min(upTo, core.head);
    const from = core.trimmedThrough + 1;
    if (through < from) return [];
    await witness.write({ trimmedThrough: through });
    core.trimmedThrough = through;
    const active = core.segments.at(-1);
    const removed = core.segments.filter((segment) => segment !== active && segment.last <= through);
    core.segments.splice(0, removed.length);
    for (const segment of removed) {
      known.forget(segment);
      core.folder.failpoint('journal.trim.remove.before');
      await core.files.drop(segment.file);
      await core.files.drop(indexFileOf(segment.file));
      core.failStop.assertRunning();
      await core.folder.removeIfThere(indexFileOf(segment.file));
      core.failStop.assertRunning();
      await core.folder.removeIfThere(segment.file);
      core.folder.failpoint('journal.trim.remove.after');
    }
    if (removed.length > 0) await core.folder.syncDir();
    return [{ from, through, cause: 'trimmed' }];
  });
}
