import { createEventIdSource, type Runtime, systemRuntime } from '@event-manager/core';
import { Link } from './connect/link.ts';
import { readServer } from './connect/read-server.ts';
import { type RedisAddress, readUrl } from './connect/read-url.ts';
import { makeClient } from './connect/redis-client.ts';

export interface RedisExamination {
  /** Where it is, without who we are there. */
  readonly place: string;
  /** Why it could not be used now; absent when it can be. */
  readonly reason?: string;
  /** The server lets nobody see its `maxmemory-policy`. */
  readonly isPolicyHidden: boolean;
  /** Whether what it answers is on its disk; absent when it could not be used. */
  readonly durability?: 'synced' | 'relaxed';
}

const CONNECT_MS = 2_500;

/** Tries a Redis as a start would, and leaves nothing there. Throws `invalid_setting` for one that a start would refuse. */
export async function examineRedis(options: {
  url: string;
  keyPrefix: string;
  runtime?: Runtime;
}): Promise<RedisExamination> {
  const { url, keyPrefix, runtime = systemRuntime } = options;
  const address = readUrl(url);
  const beat = JSON.stringify(['beat', createEventIdSource(runtime)()]);
  const link = new Link({
    ...{ address, runtime, beat: () => ({ place: `${keyPrefix}all`, text: beat }) },
    onChange: () => {},
  });
  try {
    await link.start();
    const { state } = link;
    const place = `${address.host}:${address.port}`;
    if (!state.isUp) return { place, reason: state.reason, isPolicyHidden: false };
    return { place, isPolicyHidden: state.policy === 'hidden', durability: await durabilityOf(address) };
  } finally {
    link.close();
  }
}

async function durabilityOf(address: RedisAddress): Promise<'synced' | 'relaxed'> {
  const client = makeClient(address, CONNECT_MS);
  client.on('error', () => {});
  try {
    await client.connect();
    return (await readServer(client)).durability;
  } finally {
    client.destroy();
  }
}
