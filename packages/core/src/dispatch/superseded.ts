/**
 * Which open dead letters a reset took the place of, or a subscription that was made again under its name.
 *
 * A reset has a subscription owe everything behind a place once more, also what it gave up on before. From then on an open letter
 * of such an event says nothing of what is owed: the event is delivered anew, or dies anew and has a letter of a later round. So it
 * is `superseded`: it stays to be looked at, no selection finds it, and who wants the event once more all the same names its id.
 *
 * This is not written into the letters, of which there may be as many as events: they would not fit into the one commit of a
 * reset, and what a crash left open would be redriven beside what is owed. What that commit has is a step: behind which place,
 * through which, and below which round letters are superseded. Whoever shows or selects letters applies the steps (`asSeen`).
 */
import type { EventStore, Partition, Position } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import type { DeadLetter } from './dead-letter.ts';

/** Of one subscription; a step that lies in a later one is left out, so there are rarely more than one. */
const STEPS_MAX = 100;

/** Open letters that a reset took the place of. */
export interface SupersedingStep {
  /** Those of events behind this position, all of which the log still had, */
  readonly behind: Position;
  /** up to this one: the end of the log when it was reset; */
  readonly through: Position;
  /** and of rounds below this one, in which deliveries begin since. */
  readonly below: number;
  /** Of the reset: wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** The id of a principal; absent where the subscription was made again. */
  readonly by?: string;
}

/** Where it stands who had a subscription go where. */
export function resetAuditKey(subscriptionId: string): string {
  return `reset/${subscriptionId}`;
}

/** What a subscription that goes on behind `position` supersedes: what the log has no more it does not owe, and of that the letter is what is left. */
export async function supersedingStep(
  store: Pick<EventStore, 'bounds'>,
  partition: Partition,
  { position, ...step }: { readonly position: Position } & Pick<SupersedingStep, 'below' | 'atMs' | 'by'>,
): Promise<SupersedingStep> {
  const bounds = (await store.bounds()).find((entry) => entry.partition === partition);
  const { first = 0, head = position } = bounds ?? {};
  return { behind: Math.max(position, first - 1), through: Math.max(position, head), ...step };
}

/** The round that is behind all which steps over events behind `position` speak of: what dies there is superseded by none of them. */
export function roundBehind(steps: readonly SupersedingStep[], position: Position): number {
  return steps.reduce((most, { through, below }) => (through > position ? Math.max(most, below) : most), 0);
}

/** The steps behind one more reset. */
export function stepsWith(before: readonly SupersedingStep[], step: SupersedingStep): readonly SupersedingStep[] {
  if (step.below === 0 || step.behind >= step.through) return before;
  const isWithin = ({ behind, through, below }: SupersedingStep) =>
    behind >= step.behind && through <= step.through && below <= step.below;
  return [...before.filter((each) => !isWithin(each)), step].slice(-STEPS_MAX);
}

/** Letters as they are to be seen: those that a reset took the place of are `superseded`. */
export async function asSeen<Letter extends DeadLetter | undefined>(
  state: Pick<StateStore, 'get'>,
  letters: readonly Letter[],
): Promise<readonly Letter[]> {
  const ids = [...new Set(letters.flatMap((letter) => (letter?.state === 'open' ? [letter.subscriptionId] : [])))];
  if (ids.length === 0) return letters;
  const audits = await state.get('audit', ids.map(resetAuditKey));
  const steps = new Map(ids.map((id, at) => [id, stepsIn(audits[at]?.value)]));
  return letters.map((letter) => {
    const step = letter && stepOver(letter, steps.get(letter.subscriptionId) ?? []);
    if (!step) return letter;
    const { atMs, by } = step;
    return { ...letter, state: 'superseded', superseded: { atMs, ...(by === undefined ? {} : { by }) } };
  });
}

export function stepsIn(audit: unknown): readonly SupersedingStep[] {
  return (audit as { readonly superseding?: readonly SupersedingStep[] } | undefined)?.superseding ?? [];
}

function stepOver(letter: DeadLetter, steps: readonly SupersedingStep[]): SupersedingStep | undefined {
  const { state, place, round } = letter;
  if (state !== 'open') return undefined;
  const { position } = place;
  return steps.find(({ behind, through, below }) => behind < position && position <= through && round < below);
}
