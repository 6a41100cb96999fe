import type { LogCore } from './log-core.ts';

/** Somebody told of a loss since this process looked. */
export async function followBranch({ connection, branch }: LogCore): Promise<void> {
  await branch.follow((...asked) => connection.ask(...asked));
}
