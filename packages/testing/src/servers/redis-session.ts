import { createClient } from 'redis';

const CONNECT_MS = 5_000;
const SCANNED_AT_ONCE = 1_000;

type Session = ReturnType<typeof open>;

/** Like a session of PostgreSQL in these tests: one connection for one question, which never tries again by itself. */
async function withRedis<T>(url: string, ask: (client: Session) => Promise<T>): Promise<T> {
  const client = open(url);
  client.on('error', () => {});
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.destroy();
  }
}

function open(url: string) {
  return createClient({ url, socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS } });
}

/** False as well while it loads its file: it answers then, but only with an error. */
export async function redisAnswers(url: string): Promise<boolean> {
  return withRedis(url, (client) => client.ping()).then(
    () => true,
    () => false,
  );
}

export async function removeRedisKeys(url: string, prefix: string): Promise<void> {
  await withRedis(url, async (client) => {
    for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: SCANNED_AT_ONCE })) {
      if (keys.length > 0) await client.unlink(keys);
    }
  });
}
