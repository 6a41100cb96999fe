import type { Why, WhyFinding, WhyStep } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { plain } from '../../output/plain.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';

export async function why(this: CliContext, flags: ServiceFlags, id: string, eventId: string): Promise<void> {
  await using client = await connect(this, flags);
  const answer = await client.why(id, eventId);
  await new Output(this, flags).result(answer, () => whyLines(answer));
  if (answer.status === 'unknown') this.end('notFound');
}

function whyLines(answer: Why): string[] {
  const { note, also, timeline } = answer;
  return [
    `${answer.status}: ${answer.reason}`,
    ...findingLines(answer),
    ...(note === undefined ? [] : [plain(`  assumed: ${note}`)]),
    ...also.flatMap((finding) => [`also: ${finding.reason}`, ...findingLines(finding)]),
    ...(timeline.length === 0 ? [] : ['', ...textTable(['AT', 'WHAT', 'ATTEMPT', 'DETAILS'], timeline.map(stepRow))]),
  ];
}

function findingLines({ words, advice }: WhyFinding): string[] {
  const lines = [`  ${words}`];
  if (advice) lines.push(`  ${advice.words}`);
  if (advice?.command !== undefined) lines.push(`    ${advice.command}`);
  return lines.map(plain);
}

function stepRow({ at, what, attempt, error, by }: WhyStep): string[] {
  const details = error ? `${error.code}: ${error.message}` : by === undefined ? '' : `by ${by}`;
  return [at, what, attempt === undefined ? '' : String(attempt), details];
}
