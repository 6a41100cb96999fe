import type { LettersRequest, RedriveRequest } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { readTime } from '../../input/read-time.ts';
import type { LettersFlags, RedriveFlags } from './redrive-flags.ts';

/** What the flags and ids of a command line ask for. */
export function lettersRequest(context: CliContext, flags: LettersFlags, ids: readonly string[]): LettersRequest {
  const nowMs = context.surroundings.runtime.clock.wallMs();
  const { subscription, error, fingerprint, topic, type, correlationId, userId, projectId, from, to, except } = flags;
  return {
    ids: ids.length === 0 ? undefined : ids,
    subscriptionIds: subscription === undefined ? undefined : [subscription],
    errorCodes: error,
    fingerprints: fingerprint,
    topic,
    types: type,
    ...{ correlationId, userId, projectId },
    from: from === undefined ? undefined : readTime('from', from, nowMs),
    to: to === undefined ? undefined : readTime('to', to, nowMs),
    except,
    all: flags.all,
    note: flags.note,
  };
}

export async function redriveRequest(
  context: CliContext,
  flags: RedriveFlags,
  ids: readonly string[],
): Promise<RedriveRequest> {
  const { rate, edit, force } = flags;
  const payload = edit === undefined ? undefined : await readObjectArgument(context, '--edit', edit);
  return { ...lettersRequest(context, flags, ids), rate, force, payload };
}
