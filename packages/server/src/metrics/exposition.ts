import type { LatencySummary } from '@event-manager/core';
import { collectDefaultMetrics, type Metric, Registry, type RegistryContentType } from 'prom-client';
import type { MetricRow, MetricsReading } from './metric-row.ts';
import { METRICS } from './metric-table.ts';

const MS_PER_SECOND = 1_000;

type AnyRegistry = Registry<RegistryContentType>;

export type ExpositionForm = 'prometheus' | 'openmetrics';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** What the registry asks of a metric, and what it gets. */
interface Collected {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

/**
 * Writes one reading for Prometheus. The metrics are made anew each time, from what was counted elsewhere: nothing is counted
 * twice on the hot path, and the registry of prom-client shortens the name of a counter in place when it writes OpenMetrics,
 * so that a second use would lack its `_total`.
 */
export async function expose(reading: MetricsReading, form: ExpositionForm): Promise<Exposition> {
  const registry: AnyRegistry = new Registry();
  registry.setContentType(
    form === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE,
  );
  for (const row of METRICS) register(registry, row.name, row.type, () => collect(row, reading));
  for (const metric of processMetrics().getMetricsAsArray() as unknown as Collectable[]) {
    register(registry, metric.name, metric.type, async () => withoutNothing(await metric.get()));
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

interface Collectable {
  readonly name: string;
  readonly type: string;
  get(): Promise<Collected>;
}

/** What was not measured yet is not a number, and prom-client spells that as not every reader does. */
function withoutNothing(collected: Collected): Collected {
  return { ...collected, values: collected.values.filter(({ value }) => !Number.isNaN(value)) };
}

function register(registry: AnyRegistry, name: string, type: string, get: () => Collected | Promise<Collected>): void {
  const metric = { name, type, get: async () => ({ ...(await get()), name: metric.name }) };
  registry.registerMetric(metric as unknown as Metric);
}

function collect(row: MetricRow, reading: MetricsReading): Collected {
  const { name, help, type } = row;
  if (row.type !== 'histogram') {
    const values = row.read(reading).map(({ value, labels = {} }) => ({ value, labels }));
    return { name, help, type, values };
  }
  const values = row.read(reading).flatMap(({ latency, labels = {} }) => series(name, labels, latency));
  return { name, help, type, values };
}

function series(name: string, labels: Readonly<Record<string, string>>, latency: LatencySummary): Sample[] {
  const { buckets, count, sum } = latency;
  const metricName = `${name}_bucket`;
  return [
    ...buckets.map(({ le, count: value }) => ({ metricName, labels: { ...labels, le: le / MS_PER_SECOND }, value })),
    { metricName, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum / MS_PER_SECOND },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

/** Of the process, whatever runs in it: made once, because its observers cannot be taken away again. */
let ofProcess: AnyRegistry | undefined;

function processMetrics(): AnyRegistry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
