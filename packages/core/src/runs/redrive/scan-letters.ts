import type { StateStore } from '../../contracts/state-store.ts';
import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { type LetterGroup, LetterGroups } from './letter-groups.ts';
import { compileSelection, type LetterSelection } from './letter-selection.ts';

/** A letter holds its event: a page of the largest is 25 MiB. */
const PAGE = 100;
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

/** Looks at the letters of a selection. Throws `dead_letter_not_found` for an id that is none. */
export async function scanLetters(state: StateStore, selection: LetterSelection): Promise<SelectedLetters> {
  const groups = new LetterGroups();
  const subscriptions = new Map<string, number>();
  const sample: DeadLetter[] = [];
  let count = 0;
  const complete = await eachLetter(state, selection, (letter) => {
    count++;
    groups.add(letter);
    subscriptions.set(letter.subscriptionId, (subscriptions.get(letter.subscriptionId) ?? 0) + 1);
    if (sample.length < SAMPLE_MAX) sample.push(letter);
  });
  const counted = [...subscriptions].map(([subscriptionId, number]) => ({ subscriptionId, count: number }));
  return { count, complete, sample, groups: groups.all(), subscriptions: counted };
}

/** The open letters by their causes, of one subscription or of all. */
export async function groupLetters(state: StateStore, subscriptionId?: string): Promise<LetterGroupsFound> {
  const groups = new LetterGroups();
  const selection: LetterSelection = {
    state: 'open',
    ...(subscriptionId !== undefined ? { subscriptionIds: [subscriptionId] } : {}),
  };
  const complete = await eachLetter(state, selection, (letter) => groups.add(letter));
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
  state: StateStore,
  selection: LetterSelection,
  see: (letter: DeadLetter) => void,
): Promise<boolean> {
  const isMeant = compileSelection(selection);
  if (selection.ids) {
    const keys = await keysOfLetters(state, selection.ids);
    for (let from = 0; from < keys.length; from += PAGE) {
      for (const entry of await state.get('dead-letter', keys.slice(from, from + PAGE))) {
        const letter = entry?.value as unknown as DeadLetter | undefined;
        if (letter && isMeant(letter)) see(letter);
      }
    }
    return true;
  }
  let left = SCANNED_MAX;
  for (const of of selection.subscriptionIds ?? [undefined]) {
    let after: string | undefined;
    do {
      if (left <= 0) return false;
      const prefix = of === undefined ? {} : { prefix: `${of}/` };
      const page = await state.load('dead-letter', {
        ...prefix,
        ...(after === undefined ? {} : { after }),
        limit: PAGE,
      });
      for (const { value } of page.entries) {
        const letter = value as unknown as DeadLetter;
        if (isMeant(letter)) see(letter);
      }
      left -= page.entries.length;
      after = page.next;
    } while (after !== undefined);
  }
  return true;
}
