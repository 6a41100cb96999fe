import { redis } from '@event-manager/redis';
import type { Script } from '../../src/lua/script.ts';
import { askRedis } from './ask-redis.ts';

interface Keys {
  readonly url: string;
  readonly keyPrefix?: string;
}

const KEY_PREFIX_DEFAULT = 'dadms:events:';

/** What a test does with an adapter of its own, which is closed afterwards. */
export async function withAdapter<T>(
  { url, keyPrefix }: Keys,
  work: (adapter: ReturnType<typeof redis>) => Promise<T>,
): Promise<T> {
  const adapter = redis({ url, keyPrefix });
  await adapter.open();
  try {
    return await work(adapter);
  } finally {
    await adapter.close();
  }
}

/** One script, once, without anything that an adapter does besides. */
export async function runScript(
  { url, keyPrefix = KEY_PREFIX_DEFAULT }: Keys,
  script: Script,
  ...values: readonly (string | number)[]
): Promise<readonly unknown[] | number> {
  const storeId = (await askRedis(url, 'HGET', `${keyPrefix}head`, 'store')) as string;
  const args = [storeId, ...values.map(String)];
  return (await askRedis(url, 'EVAL', script.source, '1', keyPrefix, ...args)) as readonly unknown[] | number;
}
