import type { RelevanceContext } from './context.ts';

/** A context made for looking up. */
export interface KnownContext {
  readonly userIds: ReadonlySet<string>;
  readonly projectIds: ReadonlySet<string>;
  readonly sessionIds: ReadonlySet<string>;
}

/** Where a filter looks for the context of its subscriber: the same for as long as both live, with what is known now. */
export interface ContextCell {
  /** Absent while none is registered. */
  readonly current: KnownContext | undefined;
}

export const NO_CONTEXT: ContextCell = Object.freeze({ current: undefined });

export function knownContext({ userIds, projectIds, sessionIds }: RelevanceContext): KnownContext {
  return { userIds: new Set(userIds), projectIds: new Set(projectIds), sessionIds: new Set(sessionIds) };
}
