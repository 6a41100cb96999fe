import { Agent } from 'node:http';
import { openLoop } from './open-loop.ts';
import { postJson } from './post-json.ts';
import { sampleEvent } from './sample-events.ts';

const EVENTS_PER_REQUEST_MAX = 100;
const CONNECTIONS = 32;

export interface Schedule {
  readonly url: string;
  readonly perSecond: number;
  readonly count: number;
  /** Told when the first event is due; event n is due n / perSecond later. */
  readonly onStart: (startedMs: number) => void;
}

export interface Scheduled {
  /** How long after it was due each event was sent: part of its latency that the client's own process makes. */
  readonly lateMs: Float32Array;
  readonly refused: number;
  /** From the first event's moment to the last answer. */
  readonly tookMs: number;
}

/** Publishes event n, which has its number in the payload, when it is due. What falls due within a millisecond goes out as one batch, as a client library would send it. */
export async function publishOnSchedule({ url, perSecond, count, onStart }: Schedule): Promise<Scheduled> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const lateMs = new Float32Array(count);
  const { promise: answered, resolve: onAnswered } = Promise.withResolvers<void>();
  let startedMs = 0;
  let underWay = 1;
  let refused = 0;
  const ended = (status: number) => {
    if (status !== 201) refused++;
    if (--underWay === 0) onAnswered();
  };
  const send = (from: number, to: number) => {
    const nowMs = performance.now();
    for (let index = from; index < to; index++) lateMs[index] = nowMs - startedMs - (index * 1_000) / perSecond;
    for (let first = from; first < to; first += EVENTS_PER_REQUEST_MAX) {
      const size = Math.min(EVENTS_PER_REQUEST_MAX, to - first);
      const events = Array.from({ length: size }, (_, offset) => sampleEvent(first + offset));
      underWay++;
      postJson(`${url}/events/batch`, JSON.stringify(events), agent).then(ended, () => ended(0));
    }
  };
  await openLoop({ perSecond, count, send }, (at) => {
    startedMs = at;
    onStart(at);
  });
  ended(201);
  await answered;
  agent.destroy();
  return { lateMs, refused, tookMs: performance.now() - startedMs };
}
