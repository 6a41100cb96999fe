import type { JsonObject } from '@event-manager/core/portable';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { readDelayMs } from '../../input/read-moment.ts';
import { Output } from '../../output/output.ts';
import { askService, bodyOf } from '../../service/ask-service.ts';
import { serviceUrl } from '../../service/service-url.ts';
import type { NackFlags } from './answer-routes.ts';

const ANSWER_MS = 30_000;

interface Answer {
  readonly stale: readonly string[];
  readonly leaseUntil?: string;
}

export async function acknowledge(this: CliContext, flags: ServiceFlags, id: string, given: string): Promise<void> {
  await tell(this, flags, { id, given, what: 'ack' }, (count) => `acknowledged ${count}`);
}

export async function refuse(this: CliContext, flags: NackFlags, id: string, given: string): Promise<void> {
  const { error, metadata, after, deadLetter } = flags;
  const more = {
    ...(error === undefined ? {} : { error }),
    ...(metadata === undefined ? {} : { metadata: await readObjectArgument(this, '--metadata', metadata) }),
    ...(after === undefined ? {} : { afterMs: readDelayMs('after', after) }),
    ...(deadLetter === true ? { retry: false } : {}),
  };
  await tell(this, flags, { id, given, what: 'nack', more }, (count) => `refused ${count}`);
}

export async function extend(this: CliContext, flags: ServiceFlags, id: string, given: string): Promise<void> {
  const words = (count: number, { leaseUntil }: Answer) => `extended ${count} until ${leaseUntil}`;
  await tell(this, flags, { id, given, what: 'extend' }, words);
}

interface Told {
  readonly id: string;
  readonly given: string;
  readonly what: 'ack' | 'nack' | 'extend';
  readonly more?: JsonObject;
}

/** The client answers for what it pulled itself; here another command line did. */
async function tell(
  context: CliContext,
  flags: ServiceFlags,
  { id, given, what, more = {} }: Told,
  words: (count: number, answer: Answer) => string,
): Promise<void> {
  const url = serviceUrl(context, flags.url);
  const { runtime } = context.surroundings;
  const deliveries = [...new Set(given.split(',').map((one) => one.trim()))];
  const path = `/subscriptions/${encodeURIComponent(id)}/${what}`;
  const body = { ...more, deliveries };
  const answer = bodyOf(await askService({ url, path, method: 'POST', body, timeoutMs: ANSWER_MS, runtime })) as Answer;
  const { stale } = answer;
  const output = new Output(context, flags);
  await output.result(answer, () =>
    stale.length === deliveries.length ? [] : [words(deliveries.length - stale.length, answer)],
  );
  if (stale.length === 0) return;
  output.warning(`${stale.length} came too late and come again: ${stale.join(', ')}`);
  context.end('failed');
}
