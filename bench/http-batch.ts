import { availableParallelism } from 'node:os';
import type { Bench, Measured } from './benchmark.ts';
import { httpRounds } from './http-rounds.ts';
import { clientEvent } from './sample-events.ts';

const CONNECTIONS = 16;
const EVENTS_PER_REQUEST = 100;
const RATIO_MIN = 0.5;

/** `POST /events/batch` of a hundred, durable, against a Fastify that parses and validates the same body. */
export async function httpBatch(bench: Bench): Promise<Measured> {
  const body = Array.from({ length: EVENTS_PER_REQUEST }, (_, index) => clientEvent(index));
  const { value, limit, ratio, p50, p99 } = await httpRounds(bench, {
    path: '/events/batch',
    connections: CONNECTIONS,
    body,
  });
  return {
    value: value * EVENTS_PER_REQUEST,
    limit: limit * EVENTS_PER_REQUEST,
    ratio,
    p50,
    p99,
    unit: 'events/s',
    ok: ratio >= RATIO_MIN,
    note: `${CONNECTIONS} connections; server and load generator share ${availableParallelism()} cores; p50 and p99 of a request in ms`,
  };
}
