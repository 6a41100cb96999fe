import { availableParallelism } from 'node:os';
import type { Bench, Measured } from './benchmark.ts';
import { httpRounds } from './http-rounds.ts';
import { clientEvent } from './sample-events.ts';

const CONNECTIONS = 64;
const RATIO_MIN = 0.7;

/** `POST /events`, durable, against a Fastify that parses, validates and appends the raw bytes by group commit. */
export async function httpSingle(bench: Bench): Promise<Measured> {
  const compared = await httpRounds(bench, { path: '/events', connections: CONNECTIONS, body: clientEvent(0) });
  return {
    ...compared,
    unit: 'events/s',
    ok: compared.ratio >= RATIO_MIN,
    note: `${CONNECTIONS} connections; server and load generator share ${availableParallelism()} cores; limit http.bare; p50 and p99 in ms`,
  };
}
