/**
 * A member of the subscription `measured` that notes when events come. In a process of its own: `timed-member.ts URL REDIS_URL`,
 * which tells its parent what it noted.
 */
import { ANONYMOUS, Engine, type EventBusAdapter, type Sink } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { redisBeside } from '@event-manager/redis';
import { percentiles } from './statistics.ts';

export const MEASURED = { topic: '#', name: 'measured', options: { maxConcurrency: 64, inFlightMax: 1_000 } };

/** What is published: when, on the clock that all processes of a machine share, and whether it is one of those that come at once. */
export interface Timed {
  readonly sentAtMs: number;
  /** How many come at once; 0 for one that is published at its pace. */
  readonly burst: number;
}

export interface Noted {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export function adapterOf(url: string, redisUrl: string | undefined): EventBusAdapter {
  const adapter = postgres({ url });
  return redisUrl ? redisBeside(adapter, { url: redisUrl }) : adapter;
}

export function timed(burst: number) {
  return { type: 'measured', source: 'bench', payload: { sentAtMs: sharedNowMs(), burst } satisfies Timed };
}

/** Resolves `noted` when all of those that come at once have come. */
export class TimedMember {
  readonly noted: Promise<Noted>;
  readonly sink: Sink;
  readonly #resolve: (noted: Noted) => void;
  readonly #latencies: number[] = [];
  #came = 0;
  #beganAtMs = 0;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Noted>();
    this.noted = promise;
    this.#resolve = resolve;
    this.sink = {
      single: true,
      deliver: ([delivery]) => {
        this.#note(JSON.parse(Buffer.from(delivery!.record.body).toString()).payload as Timed);
        return [{ status: 'delivered' }];
      },
      close: async () => {},
    };
  }

  #note({ sentAtMs, burst }: Timed): void {
    const nowMs = sharedNowMs();
    if (burst === 0) {
      this.#latencies.push(nowMs - sentAtMs);
      return;
    }
    this.#beganAtMs ||= sentAtMs;
    if (++this.#came < burst) return;
    const [p50, p99] = percentiles(this.#latencies, 0.5, 0.99) as [number, number];
    this.#resolve({ p50, p99, perSecond: (burst * 1_000) / (nowMs - this.#beganAtMs) });
  }
}

function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}

if (process.argv[1] === import.meta.filename) {
  const [url, redisUrl] = process.argv.slice(2) as [string, string];
  const engine = await Engine.open({ adapter: adapterOf(url, redisUrl) });
  const member = new TimedMember();
  await engine.subscriptions.subscribe(ANONYMOUS, MEASURED, { sink: member.sink });
  process.on('message', () => void engine.close().then(() => process.exit(0)));
  process.on('disconnect', () => process.exit(1));
  process.send!(await member.noted);
}
