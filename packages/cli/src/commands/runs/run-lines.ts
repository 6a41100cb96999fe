import type { EventManagerClient } from '@event-manager/client';
import type { Run } from '@event-manager/core';
import type { Output } from '../../output/output.ts';
import { plain } from '../../output/plain.ts';
import { textTable } from '../../output/text-table.ts';
import { type NameOf, subscriptionNames } from '../../service/subscription-names.ts';

const count = (number: number | undefined) => (number === undefined ? '?' : number.toLocaleString('en-US'));

/** Prints one run: what it is, how far, and each of its parts. */
export async function printRun(client: EventManagerClient, output: Output, run: Run): Promise<void> {
  const nameOf = await subscriptionNames(
    client,
    output,
    run.parts.map(({ subscriptionId }) => subscriptionId),
  );
  await output.result(run, () => runLines(run, nameOf));
  if (run.kind === 'replay' && run.counts.failed > 0)
    output.note(`event-manager runs report ${run.id} says which failed`);
}

export function runLines(run: Run, nameOf: NameOf): readonly string[] {
  const { id, kind, state, note, counts, parts, createdAtMs, endedAtMs, words } = run;
  const rows = parts.map((part) => [
    nameOf(part.subscriptionId),
    part.waiting ? 'waiting' : part.state,
    ...countsOf(part.counts),
  ]);
  return [
    `${kind} ${id}: ${state}`,
    ...(note === undefined ? [] : [plain(note)]),
    `started ${momentOf(createdAtMs)} by ${plain(words[0]!.by)}`,
    ...(endedAtMs === undefined ? [] : [`ended ${momentOf(endedAtMs)}`]),
    `${count(counts.done)} done, ${count(counts.failed)} failed, ${count(counts.skipped)} skipped of ${count(counts.total)}`,
    ...(counts.removed === undefined ? [] : [`${count(counts.removed)} were gone before their turn`]),
    ...parts.flatMap(({ skippedFor = {} }) =>
      Object.entries(skippedFor).map(([why, number]) => `${count(number)} ${plain(why)}`),
    ),
    ...textTable(['SUBSCRIPTION', 'STATE', ...COUNT_TITLES], rows),
  ];
}

/** Many of them, one per line. */
export function runTable(runs: readonly Run[]): readonly string[] {
  const rows = runs.map(({ id, kind, state, createdAtMs, counts }) => {
    return [id, kind, state, momentOf(createdAtMs), ...countsOf(counts)];
  });
  return textTable(['ID', 'KIND', 'STATE', 'STARTED', ...COUNT_TITLES], rows);
}

const COUNT_TITLES = ['DONE', 'FAILED', 'SKIPPED', 'TOTAL'];

function countsOf({ done, failed, skipped, total }: Run['counts']): string[] {
  return [done, failed, skipped, total].map(count);
}

function momentOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
