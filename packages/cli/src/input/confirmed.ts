import { createInterface } from 'node:readline/promises';
import type { CliContext } from '../cli-context.ts';

/** Asks whoever sits in front of the terminal; false where nobody does. */
export async function confirmed({ surroundings }: CliContext, question: string): Promise<boolean> {
  const { stdin: input, stderr: output } = surroundings;
  if (input.isTTY !== true || output.isTTY !== true) return false;
  const lines = createInterface({ input, output });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
