import { findProgram } from './find-program.ts';
import { installPackage } from './install-package.ts';
import { postgresAnswers } from './postgres-session.ts';
import type { PrivateServer } from './private-server.ts';
import { redisAnswers } from './redis-session.ts';
import { whyNoDocker } from './server-container.ts';
import { startPostgres } from './start-postgres.ts';
import { startRedis } from './start-redis.ts';

export const SERVER_KINDS = ['postgres', 'redis'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

/** A server for the run, or why there is none. */
export type FoundServer =
  | { readonly url: string; readonly missing?: undefined; close(): Promise<void> }
  | { readonly url?: undefined; readonly missing: string; close(): Promise<void> };

interface Source {
  readonly program: string;
  /** Debian's name. */
  readonly package: string;
  readonly variable: string;
  start(): Promise<PrivateServer>;
  answers(url: string): Promise<boolean>;
}

const SOURCES: Readonly<Record<ServerKind, Source>> = {
  postgres: {
    program: 'postgres',
    package: 'postgresql',
    variable: 'TEST_POSTGRES_URL',
    start: () => startPostgres(),
    answers: postgresAnswers,
  },
  redis: {
    program: 'redis-server',
    package: 'redis-server',
    variable: 'TEST_REDIS_URL',
    start: () => startRedis(),
    answers: redisAnswers,
  },
};

/**
 * From the machine's own package, which root installs; otherwise a container, if a daemon of Docker answers; otherwise the one that
 * the environment names.
 */
export async function findServer(kind: ServerKind): Promise<FoundServer> {
  const source = SOURCES[kind];
  const uninstalled = (await findProgram(source.program)) ? undefined : await installPackage(source.package);
  if (uninstalled === undefined) return source.start();
  const undocked = await whyNoDocker();
  if (undocked === undefined) return source.start();
  const url = process.env[source.variable];
  if (url === undefined) {
    return missing(`no ${source.program} here (${uninstalled}; ${undocked}), and ${source.variable} is not set`);
  }
  if (await source.answers(url)) return { url, close: async () => {} };
  return missing(`${source.variable} is set, but nobody answers there as ${kind}`);
}

function missing(reason: string): FoundServer {
  return { missing: reason, close: async () => {} };
}
