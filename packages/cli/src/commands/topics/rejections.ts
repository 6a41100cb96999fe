import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { askService, bodyOf } from '../../service/ask-service.ts';
import { serviceUrl } from '../../service/service-url.ts';

const ANSWER_MS = 10_000;

interface Rejections {
  readonly data: readonly Readonly<Record<'rejectedAt' | 'topic' | 'type' | 'source' | 'pointer' | 'reason', string>>[];
  readonly counts: readonly object[];
}

/** What a service refused is a matter of the service: an event manager has no such member. */
export async function listRejections(this: CliContext, flags: ServiceFlags): Promise<void> {
  const { runtime } = this.surroundings;
  const question = { url: serviceUrl(this, flags.url), path: '/rejections', timeoutMs: ANSWER_MS, runtime };
  const found = bodyOf(await askService(question)) as Rejections;
  const output = new Output(this, flags);
  await output.result(found, () =>
    textTable(
      ['REFUSED', 'TOPIC', 'TYPE', 'SOURCE', 'AT', 'REASON'],
      found.data.map(({ rejectedAt, topic, type, source, pointer, reason }) => {
        return [rejectedAt, topic, type, source, pointer, reason];
      }),
    ),
  );
  if (found.data.length === 0) output.note('nothing was refused since the service started');
}
