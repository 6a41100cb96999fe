import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { WebSocket } from 'ws';
import { Arrivals } from './arrivals.ts';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { publishOnSchedule } from './publish-on-schedule.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { median } from './statistics.ts';

const PER_SECOND = 5_000;
const ROUNDS = 3;
const READERS = 100;
const TRICKLE_BYTES = 1_000;
const RATIO_MAX = 1.1;

/**
 * What others notice of a hundred streams that are opened and not read, half of them not at all and half at a thousand bytes a
 * second: the time from the moment an event was due to a handler of the client, with them and without, in turns.
 */
export async function besideSlowReaders(bench: Bench): Promise<Measured> {
  const count = Math.floor(PER_SECOND * sized(bench, { full: 20, quick: 5, smoke: 0.1 }));
  const readers = sized(bench, { full: READERS, quick: READERS, smoke: 2 });
  const service = await startServiceUnderTest(join(bench.folder, 'data'));
  const alone: number[] = [];
  const beside: number[] = [];
  const besideLater: number[] = [];
  let missing = 0;
  let streamsLeft = 0;
  try {
    await measure(service.url, count);
    for (let round = 0; round < ROUNDS; round++) {
      const calm = await measure(service.url, count);
      const slow = await Promise.all(Array.from({ length: readers }, (_, at) => slowReader(service.url, at % 2 === 0)));
      const disturbed = await measure(service.url, count);
      streamsLeft += await streamsOf(service.url);
      for (const leave of slow) leave();
      alone.push(calm.p99);
      beside.push(disturbed.p99);
      besideLater.push(disturbed.laterP99);
      missing += calm.missing + disturbed.missing;
    }
  } finally {
    await service.stop();
  }
  const value = median(beside);
  const limit = median(alone);
  return {
    value,
    unit: 'ms',
    limit,
    ratio: value / limit,
    ok: missing === 0 && value / limit <= RATIO_MAX,
    note: `p99 at ${PER_SECOND} events a second over WebSocket, with ${readers} streams that are not read and without`,
    details: { missing, besideLater: median(besideLater), opened: readers * ROUNDS, streamsLeft },
  };
}

async function measure(url: string, count: number): Promise<{ p99: number; laterP99: number; missing: number }> {
  const client = new EventManagerClient(url);
  try {
    const arrivals = new Arrivals(count, PER_SECOND);
    await client.subscribe({
      topic: '#',
      options: { maxConcurrency: 1_000 },
      handler({ payload }) {
        arrivals.arrived(payload['index'] as number);
      },
    });
    const onStart = (startedMs: number) => arrivals.start(startedMs);
    await publishOnSchedule({ url, perSecond: PER_SECOND, count, onStart });
    await arrivals.settled();
    const { p99 } = arrivals.latencies(0);
    return { p99, laterP99: arrivals.latencies(count >> 1).p99, missing: arrivals.missing };
  } finally {
    await client.close();
  }
}

/** Opens a stream and stops reading it; one that is not dead takes a thousand bytes a second. Resolves with the way to leave. */
async function slowReader(url: string, isDead: boolean): Promise<() => void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  let trickle: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send('{"type":"stream","ref":1}'));
    socket.on('message', () => resolve());
  });
  const { _socket: connection } = socket as unknown as { _socket: import('node:net').Socket };
  socket.pause();
  if (!isDead) trickle = setInterval(() => connection.read(TRICKLE_BYTES), 1_000);
  socket.on('error', () => {});
  return () => {
    clearInterval(trickle);
    socket.terminate();
  };
}

/** A reader that does not read cannot see that it was cut. */
async function streamsOf(url: string): Promise<number> {
  return ((await (await fetch(`${url}/health`)).json()) as { streams: number }).streams;
}
