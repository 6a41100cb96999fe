import type { Runtime } from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';
import type { Configuration } from '../configuration/settings.ts';
import { isPassing } from './database-failure.ts';
import { databasePlace, redisPlace } from './database-place.ts';

const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5_000;

export interface WaitOptions {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly logger: Pick<FastifyBaseLogger, 'warn'>;
}

/**
 * Opens again as long as the database is not there yet, which whoever starts everything at once relies on; `open` makes
 * everything anew each time. Throws what it throws, at once when trying again would not help.
 */
export async function waitForDatabase<T>(open: () => Promise<T>, options: WaitOptions): Promise<T> {
  const { configuration, runtime, logger } = options;
  const { databaseStartTimeoutMs } = configuration;
  const place = placeOf(configuration);
  const { clock, timers } = runtime;
  const endMs = clock.monotonicMs() + databaseStartTimeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs)) {
    try {
      return await open();
    } catch (error) {
      const leftMs = Math.round(endMs - clock.monotonicMs());
      if (place === undefined || !isPassing(error) || leftMs <= 0) throw error;
      const facts = { database: place, leftMs, reason: (error as Error).message };
      logger.warn(facts, 'the database is not there yet; trying again');
      await new Promise<void>((resolve) => timers.after(Math.min(pauseMs, leftMs), resolve, true));
    }
  }
}

/** Undefined where events are kept without a server. */
function placeOf({ adapter, databaseUrl, redisUrl }: Configuration): string | undefined {
  if (adapter === 'redis') return redisPlace(redisUrl!);
  return databaseUrl === undefined ? undefined : databasePlace(databaseUrl);
}
