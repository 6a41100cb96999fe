import { proposeCompletions } from '@stricli/core';
import { application } from '../../application.ts';
import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';

/** Every line is a word, a tab, and what it means. */
export async function propose(this: CliContext, _flags: object, ...words: string[]): Promise<void> {
  const proposals = await proposeCompletions(application({ isJson: false }), words, this);
  const lines = proposals.map(({ completion, brief }) => `${completion}\t${brief}`);
  if (lines.length > 0) await new Output(this, {}).text(lines.join('\n'));
}
