import { type ErrorCode, isEventManagerError } from '@event-manager/core/portable';

/** How a command ends, for scripts: a number keeps its meaning. docs/cli.md has the same table; a test keeps them equal. */
export const EXIT_CODES = {
  done: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'refused or failed; damage was found; a check of `doctor` failed' },
  wrongUse: { code: 2, meaning: 'wrong use: the command line, a file or a setting cannot be read; nothing was done' },
  unreachable: { code: 3, meaning: 'the service gave no answer, or is not ready' },
  notFound: { code: 4, meaning: 'what was asked for does not exist' },
  partly: {
    code: 5,
    meaning: 'done in part: some of the events were refused, or a run that was followed gave up on some',
  },
  interrupted: { code: 130, meaning: 'ended by Ctrl-C (SIGINT)' },
  brokenPipe: { code: 141, meaning: 'whoever read the output went away' },
  terminated: { code: 143, meaning: 'ended by SIGTERM' },
} as const;

export type Ending = keyof typeof EXIT_CODES;

/** A command that failed for a reason of its own: the words go to the person, the ending to the shell. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly ending: Ending;

  constructor(ending: Ending, words: string) {
    super(words);
    this.ending = ending;
  }
}

const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unreachable', 'not_ready']);

export function endingOf(error: unknown): Ending {
  if (error instanceof CommandFailure) return error.ending;
  if (!isEventManagerError(error)) return 'failed';
  if (AWAY.has(error.code)) return 'unreachable';
  if (error.kind === 'not-found') return 'notFound';
  // What is wrong with a setting is wrong before anything was asked.
  return error.code === 'invalid_setting' || error.details['setting'] !== undefined ? 'wrongUse' : 'failed';
}
