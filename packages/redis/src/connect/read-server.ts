import { EventManagerError } from '@event-manager/core';
import { ErrorReply } from 'redis';
import { checkServer } from './check-server.ts';
import type { RedisClient } from './redis-client.ts';
import { unusable } from './store-error.ts';
import { REPLICA } from './why-away.ts';

/** What a server says of itself that a store has to know. */
export interface ServerFacts {
  /** Another one after each start of the server, at each server, and each time that it was a copy and is none any more. */
  readonly life: string;
  /** As it is set. Where that may not be read it is `relaxed`. */
  readonly durability: 'synced' | 'relaxed';
  /** It may have begun without something that was acknowledged before: it syncs later, or was a copy once. */
  readonly mayLack: boolean;
  /** Since its start, give or take a second. */
  readonly uptimeMs: number;
  /** Whether it lets us see how it is set. */
  readonly settings: 'seen' | 'hidden';
}

/** Since then a stream can be trimmed by position. */
const VERSION_MIN = [6, 2] as const;
const NEVER_A_COPY = /^0*$/;

/** Throws for a server that must not be used: one that evicts, and, for now, a replica. */
export async function readServer(client: RedisClient): Promise<ServerFacts> {
  const policy = await checkServer(client);
  const info = readInfo(await client.info());
  assertFit(info);
  if (info.get('role') !== 'master') throw unusable(REPLICA);
  const durability = policy === 'seen' && (await isSynced(client)) ? 'synced' : 'relaxed';
  const wasCopy = !NEVER_A_COPY.test(info.get('master_replid2') ?? '');
  const run = info.get('run_id') ?? '';
  // A server that was made a copy and a primary again has gone through another log without being started anew.
  const life = wasCopy ? `${run} ${info.get('master_replid')}` : run;
  const uptimeMs = 1_000 * Number(info.get('uptime_in_seconds') ?? 0);
  return { life, durability, mayLack: durability === 'relaxed' || wasCopy, uptimeMs, settings: policy };
}

/** What no later try would change. */
function assertFit(info: ReadonlyMap<string, string>): void {
  if (info.get('cluster_enabled') === '1') {
    const words = 'This Redis is a cluster: a store lies on one server.';
    throw new EventManagerError('invalid_setting', words, { setting: 'url' });
  }
  const [major = 0, minor = 0] = (info.get('redis_version') ?? '').split('.').map(Number);
  if (major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1])) return;
  const words = `This Redis is older than ${VERSION_MIN.join('.')}.`;
  throw new EventManagerError('invalid_setting', words, { setting: 'url' });
}

/** Each write is on the disk before it is answered, also while the server writes its file anew. */
async function isSynced(client: RedisClient): Promise<boolean> {
  try {
    const settings = await client.configGet(['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite']);
    return (
      settings['appendonly'] === 'yes' &&
      settings['appendfsync'] === 'always' &&
      settings['no-appendfsync-on-rewrite'] === 'no'
    );
  } catch (error) {
    if (error instanceof ErrorReply) return false;
    throw error;
  }
}

function readInfo(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
    }),
  );
}
