import type { StateEntry, StateKind, StateStore } from './contracts/state-store.ts';

const PAGE = 1_000;

/** All entries of a kind, those whose key begins with `prefix` where one is given, in the order of their keys and a page at a time. */
export async function* statePages(
  state: StateStore,
  kind: StateKind,
  prefix?: string,
): AsyncGenerator<readonly StateEntry[], void, undefined> {
  const options = prefix === undefined ? { limit: PAGE } : { prefix, limit: PAGE };
  let after: string | undefined;
  do {
    const page = await state.load(kind, after === undefined ? options : { ...options, after });
    yield page.entries;
    after = page.next;
  } while (after !== undefined);
}
