import { ExitCode, run } from '@stricli/core';
import { application } from './application.ts';
import { CliContext, type CliSurroundings } from './cli-context.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** Runs one command line and resolves with the exit code. Touches nothing of the process but what it is given. */
export async function runCli(surroundings: CliSurroundings): Promise<number> {
  const context = new CliContext(surroundings);
  const release = endWithReader(context);
  try {
    await run(
      application({ isJson: asksForJson(surroundings.args), isJsonSplit: surroundings.args.some(isCutJson) }),
      surroundings.args,
      context,
    );
  } finally {
    release();
  }
  const { exitCode } = context.process;
  if (exitCode === ExitCode.UnknownCommand || exitCode === ExitCode.InvalidArgument) return EXIT_CODES.wrongUse.code;
  // What the library does not know is how a command ended that threw nothing.
  if (exitCode === ExitCode.Success) return context.exitCode;
  if (context.interruption.ending !== undefined) return context.exitCode;
  return typeof exitCode === 'number' && exitCode > 0 ? exitCode : EXIT_CODES.failed.code;
}

/** Errors are written before the flags of a command are read. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** A word of what a shell made of JSON without quotes around it. */
function isCutJson(word: string): boolean {
  if (!/^[{[]/.test(word)) return false;
  try {
    JSON.parse(word);
    return false;
  } catch {
    return true;
  }
}

/** `event-manager tail | head -1`: a reader that went away is no error, and ends the work. */
function endWithReader({ interruption, process: { stdout } }: CliContext): () => void {
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interruption.by('brokenPipe');
  };
  stdout.on('error', onError);
  return () => stdout.off('error', onError);
}
