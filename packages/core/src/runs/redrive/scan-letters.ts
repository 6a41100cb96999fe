import type { StateEntry, StateStore } from '../../contracts/state-store.ts';
import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { asSeen } from '../../dispatch/superseded.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { PageSize } from '../../page-size.ts';
import type { Timers } from '../../runtime/clock.ts';
import { type LetterGroup, LetterGroups } from './letter-groups.ts';
import { compileSelection, type LetterSelection } from './letter-selection.ts';

/** A letter holds its event. */
const PAGE = { most: 100, bytesMax: 1024 * 1024 };
/** Letters that one question may look at. */
const SCANNED_MAX = 200_000;
const SAMPLE_MAX = 10;

/** What a selection means, without anything being done. */
export interface SelectedLetters {
  readonly count: number;
  /** False when there are more letters than one question may look at: the count is at least this. */
  readonly complete: boolean;
  /** The first ten, by subscription and position. */
  readonly sample: readonly DeadLetter[];
  /** Of the same cause, the latest error first. */
  readonly groups: readonly LetterGroup[];
  readonly subscriptions: readonly { readonly subscriptionId: string; readonly count: number }[];
}

export interface LetterGroupsFound {
  /** The latest error first. */
  readonly groups: readonly LetterGroup[];
  /** False when there are more letters, or causes, than one question may look at. */
  readonly complete: boolean;
}

export interface ScanOptions {
  readonly state: StateStore;
  readonly timers: Pick<Timers, 'soon'>;
}

/** Looks at the letters of a selection. Throws `dead_letter_not_found` for an id that is none. */
export async function scanLetters(
  { state, timers }: ScanOptions,
  selection: LetterSelection,
): Promise<SelectedLetters> {
  const groups = new LetterGroups();
  const subscriptions = new Map<string, number>();
  const sample: DeadLetter[] = [];
  let count = 0;
  const complete = await eachLetter({ state, timers }, selection, (letter) => {
    count++;
    groups.add(letter);
    subscriptions.set(letter.subscriptionId, (subscriptions.get(letter.subscriptionId) ?? 0) + 1);
    if (sample.length < SAMPLE_MAX) sample.push(letter);
  });
  const counted = [...subscriptions].map(([subscriptionId, number]) => ({ subscriptionId, count: number }));
  return { count, complete, sample, groups: groups.all(), subscriptions: counted };
}

/** The open letters by their causes, of one subscription or of all. */
export async function groupLetters(options: ScanOptions, subscriptionId?: string): Promise<LetterGroupsFound> {
  const groups = new LetterGroups();
  const selection: LetterSelection = {
    state: 'open',
    ...(subscriptionId !== undefined ? { subscriptionIds: [subscriptionId] } : {}),
  };
  const complete = await eachLetter(options, selection, (letter) => groups.add(letter));
  return { groups: groups.all(), complete: complete && !groups.isFull };
}

/** The keys of letters by their ids, in the same order. Throws `dead_letter_not_found`. */
export async function keysOfLetters(state: StateStore, ids: readonly string[]): Promise<readonly string[]> {
  const found = await state.get('dead-letter-id', ids);
  return found.map((entry, at) => {
    if (entry) return entry.value as string;
    throw new EventManagerError('dead_letter_not_found', 'No dead letter with this id is kept.', { id: ids[at] });
  });
}

/** False when it stopped before the end. */
async function eachLetter(
  { state, timers }: ScanOptions,
  selection: LetterSelection,
  see: (letter: DeadLetter) => void,
): Promise<boolean> {
  const isMeant = compileSelection(selection);
  const size = new PageSize(PAGE);
  const seePage = async (entries: readonly (StateEntry | undefined)[]) => {
    const kept = entries.flatMap((entry) => (entry ? [entry.value as unknown as DeadLetter] : []));
    // One that is named is meant as what it was before a reset.
    const letters = selection.ids ? kept : await asSeen(state, kept);
    for (const letter of letters) if (isMeant(letter)) see(letter);
    const bytes = letters.reduce((sum, { event }) => sum + event.length, 0);
    size.saw(letters.length, bytes);
    // A store that answers from memory waits for nothing, and others want the loop, too.
    await new Promise<void>((resolve) => timers.soon(resolve));
  };
  if (selection.ids) {
    const keys = await keysOfLetters(state, selection.ids);
    for (let from = 0; from < keys.length; ) {
      const piece = keys.slice(from, from + size.limit);
      await seePage(await state.get('dead-letter', piece));
      from += piece.length;
    }
    return true;
  }
  let left = SCANNED_MAX;
  for (const of of selection.subscriptionIds ?? [undefined]) {
    const prefix = of === undefined ? {} : { prefix: `${of}/` };
    let after: string | undefined;
    do {
      if (left <= 0) return false;
      const behind = after === undefined ? {} : { after };
      const page = await state.load('dead-letter', { ...prefix, ...behind, limit: size.limit });
      await seePage(page.entries);
      left -= page.entries.length;
      after = page.next;
    } while (after !== undefined);
  }
  return true;
}
