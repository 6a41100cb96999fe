import type { LatencySummary } from '../../metrics/event-metrics.ts';
import { LatencyHistogram } from '../../metrics/latency-histogram.ts';
import { type BusPublishResult, isFiltered } from '../bus-publish-result.ts';
import type { Middleware } from './middleware.ts';

/** Types are the publishers' words; beyond so many they are counted together. */
const TYPES_MAX = 1_000;
const OTHER_TYPES = '(other types)';

export interface EventNumbers {
  readonly stored: number;
  readonly duplicates: number;
  /** Kept back by a middleware behind this one. */
  readonly filtered: number;
  /** Refused by one, or by the bus. */
  readonly refused: number;
}

export interface MiddlewareMetrics extends EventNumbers {
  /** All that came. */
  readonly events: number;
  readonly byType: Readonly<Record<string, EventNumbers>>;
  readonly refusedByCode: Readonly<Record<string, number>>;
  /** From here to the answer, milliseconds. */
  readonly latency: LatencySummary;
}

type Counts = { -readonly [Name in keyof EventNumbers]: number };

const noCounts = (): Counts => ({ stored: 0, duplicates: 0, filtered: 0, refused: 0 });

/** Counts what becomes of the events that pass, and how long that takes: `bus.use(metrics.middleware)`. */
export class MetricsMiddleware {
  readonly #byType = new Map<string, Counts>();
  readonly #byCode = new Map<string, number>();
  #all = noCounts();
  #latency = new LatencyHistogram();
  #events = 0;

  /** Needs no `this`. */
  readonly middleware: Middleware = async ({ type }, next, { runtime }) => {
    this.#events++;
    const startedMs = runtime.clock.monotonicMs();
    try {
      this.#count(type, outcomeOf(await next()));
    } catch (error) {
      this.#count(type, 'refused');
      const { code = 'internal' } = (error ?? {}) as { code?: string };
      this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
      throw error;
    } finally {
      this.#latency.observe(runtime.clock.monotonicMs() - startedMs);
    }
  };

  constructor() {
    Object.defineProperty(this.middleware, 'name', { value: 'metrics' });
  }

  getMetrics(): MiddlewareMetrics {
    return {
      events: this.#events,
      ...this.#all,
      byType: Object.fromEntries([...this.#byType].map(([type, counts]) => [type, { ...counts }])),
      refusedByCode: Object.fromEntries(this.#byCode),
      latency: this.#latency.summary(),
    };
  }

  reset(): void {
    this.#events = 0;
    this.#all = noCounts();
    this.#latency = new LatencyHistogram();
    this.#byType.clear();
    this.#byCode.clear();
  }

  #count(type: string, outcome: keyof Counts): void {
    this.#all[outcome]++;
    const key = this.#byType.has(type) || this.#byType.size < TYPES_MAX ? type : OTHER_TYPES;
    const counts = this.#byType.get(key) ?? noCounts();
    counts[outcome]++;
    this.#byType.set(key, counts);
  }
}

function outcomeOf(result: BusPublishResult): keyof Counts {
  if (isFiltered(result)) return 'filtered';
  return result.duplicate ? 'duplicates' : 'stored';
}
