import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Bench, type Measured, sized } from './benchmark.ts';
import { openLoop } from './open-loop.ts';
import { postJson } from './post-json.ts';
import { sampleEvent } from './sample-events.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { median, percentile } from './statistics.ts';

const PER_SECOND = 1_000;
const CONNECTIONS = 32;
const ROUNDS = 3;
const SLOW = 500;
const RATIO_MAX = 1.5;

/**
 * What others notice of five hundred connections that send a request a byte at a time, half of them never ending the head and
 * half the body: the time from the moment a request was due to its answer, with them and without, in turns.
 */
export async function besideSlowRequests(bench: Bench): Promise<Measured> {
  const count = Math.floor(PER_SECOND * sized(bench, { full: 20, quick: 5, smoke: 0.1 }));
  const connections = sized(bench, { full: SLOW, quick: SLOW, smoke: 4 });
  const service = await startServiceUnderTest(join(bench.folder, 'data'));
  const alone: number[] = [];
  const beside: number[] = [];
  let refused = 0;
  try {
    await measure(service.url, count);
    for (let round = 0; round < ROUNDS; round++) {
      const calm = await measure(service.url, count);
      const slow = Array.from({ length: connections }, (_, at) => slowRequest(service.url, at % 2 === 0));
      const disturbed = await measure(service.url, count);
      for (const leave of slow) leave();
      alone.push(calm.p99);
      beside.push(disturbed.p99);
      refused += calm.refused + disturbed.refused;
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
    ok: refused === 0 && value / limit <= RATIO_MAX,
    note: `p99 of ${PER_SECOND} requests a second, with ${connections} connections that send a byte at a time and without`,
    details: { refused },
  };
}

async function measure(url: string, count: number): Promise<{ p99: number; refused: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const tookMs = new Float32Array(count);
  const answers: Promise<void>[] = [];
  let refused = 0;
  let startedMs = 0;
  const post = async (index: number) => {
    const status = await postJson(`${url}/events`, JSON.stringify(sampleEvent(index)), agent).catch(() => 0);
    if (status !== 201) refused++;
    tookMs[index] = performance.now() - startedMs - (index * 1_000) / PER_SECOND;
  };
  const send = (from: number, to: number) => {
    for (let index = from; index < to; index++) answers.push(post(index));
  };
  await openLoop({ perSecond: PER_SECOND, count, send }, (at) => {
    startedMs = at;
  });
  await Promise.all(answers);
  agent.destroy();
  return { p99: percentile(tookMs, 0.99), refused };
}

/** Begins a request and goes on with a byte a second; one that was told off begins again. */
function slowRequest(url: string, inHead: boolean): () => void {
  const { hostname, port } = new URL(url);
  const head = 'POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  let socket: Socket;
  let left = false;
  const begin = () => {
    socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(inHead ? `${head}X-Slow: ` : `${head}Content-Length: 1000\r\n\r\n`);
    socket.resume();
    socket.on('close', () => {
      if (!left) begin();
    });
  };
  begin();
  const drip = setInterval(() => socket.write('a'), 1_000);
  return () => {
    left = true;
    clearInterval(drip);
    socket.destroy();
  };
}
