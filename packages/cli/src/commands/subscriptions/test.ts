import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { askService, bodyOf } from '../../service/ask-service.ts';
import { serviceUrl } from '../../service/service-url.ts';

/** Longer than the service waits for a webhook. */
const ANSWER_MS = 60_000;

/** The event manager has no such member: a test is about one endpoint, and only the service can send it. */
export async function testSubscription(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  const url = serviceUrl(this, flags.url);
  const { runtime } = this.surroundings;
  const path = `/subscriptions/${encodeURIComponent(id)}/test`;
  const outcome = bodyOf(await askService({ url, path, method: 'POST', timeoutMs: ANSWER_MS, runtime })) as {
    readonly status?: string;
  };
  await new Output(this, flags).whole(outcome);
  if (outcome.status !== 'delivered') this.end('failed');
}
