import { PAGE_METRICS } from '@event-manager/realtime';
import { ABSENT_METRICS, METRICS, type MetricRow, PROCESS_METRICS } from '@event-manager/server';

/** docs/metrics.md, from the table that the service answers by. */
export function metricsPage(): string {
  return [
    OPENING,
    '| Metric | Type | Labels | What it is | Asked for as |\n|---|---|---|---|---|',
    ...METRICS.map(metricLine),
    OF_PAGES,
    '| Metric | Type | Labels | What it is |\n|---|---|---|---|',
    ...PAGE_METRICS.map(
      ({ name, type, label, help }) => `| \`${name}\` | ${type} | ${codes(label ? [label] : [])} | ${help} |`,
    ),
    OF_THE_PROCESS,
    '| Metric | Asked for as |\n|---|---|',
    ...Object.entries(PROCESS_METRICS).map(([name, asks]) => `| \`${name}\` | ${codes(asks)} |`),
    ABSENT,
    '| Asked for as | |\n|---|---|',
    ...Object.entries(ABSENT_METRICS).map(([name, why]) => `| \`${name}\` | ${why} |`),
    CLOSING,
  ].join('\n');
}

function metricLine({ name, type, labels = [], help, asks = [] }: MetricRow): string {
  return `| \`${name}\` | ${type} | ${codes(labels)} | ${help} | ${codes(asks)} |`;
}

function codes(texts: readonly string[]): string {
  return texts.map((text) => `\`${text}\``).join(', ');
}

const OPENING = `# Metrics

This page is written by \`npm run pages\` from the tables in the code; tests keep them equal to what is answered.

\`GET /metrics\` answers in the text form of Prometheus, in OpenMetrics when \`Accept\` names it, and as one JSON object when \`application/json\` comes first. The same is
served on a port of its own, \`metricsPort\` (9090) on the same address, unless \`metricsEnabled\` is false: a scraper can be let in there without being let in to the
events. A port that is taken is a warning, not a failure. Inside a program \`getMetrics()\` gives the object; its waits are in milliseconds, those of Prometheus in seconds.

\`\`\`yaml
scrape_configs:
  - job_name: event-manager
    static_configs:
      - targets: ["127.0.0.1:9090"]
\`\`\`

Counters begin at 0 with every start. No label holds an id of an event, a topic or anything else that publishers choose freely: series stay bounded. The first 200
subscriptions with a name or an endpoint have series of their own, named so or by their id; \`eventmanager_subscriptions_unlisted\` says how many more there are.

"Asked for as" gives the names of the specification and of alert rules that are in use.

## Of the bus
`;

const OF_PAGES = `
## Of pages in browsers

Those of a WebSocket server for pages beside a bus inside a program, from the table in \`packages/realtime/src/browser\`: the service has none. \`exposePages\` [writes them](guides/browsers.md#numbers).
`;

const OF_THE_PROCESS = `
## Of the process

Beside these there is what every Node program tells: \`process_…\` and \`nodejs_…\`, by prom-client.
`;

const ABSENT = `
## Not there yet

What is asked for and has nothing to count. A series that is always 0 would say that all is well with something that does not exist.
`;

const CLOSING = `
## Alerts

These rules work as they are written:

\`\`\`yaml
groups:
  - name: event-manager
    rules:
      - alert: EventManagerQueueBacklog
        expr: event_manager_queue_depth > 1000
        for: 1m
      - alert: AASEventDeliveryFailure
        expr: rate(aas_webhook_failures[5m]) > 0.1
        for: 2m
      - alert: EventManagerSubscriptionStalled
        expr: eventmanager_subscriptions_stalled > 0
      - alert: EventManagerNotReady
        expr: eventmanager_ready == 0
        for: 1m
\`\`\`

\`aas_webhook_failures\` counts failed deliveries of webhooks whose subscriber, name or host is \`aas\` or begins with \`aas-\`; without one it is truthfully 0. It and
\`event_manager_queue_depth\` are declared gauges: in OpenMetrics, which Prometheus prefers, a counter would have to be called \`…_total\`, and the rule would find nothing.

What waits beyond the memory of a lane is not in the queue depth but in the lag: \`eventmanager_subscription_lag\`, see [health](health.md).

## What a figure means

- **Waits** are counted in fixed buckets (0.1 ms to an hour, 1-2-5); quantiles are estimated inside a bucket, as \`histogram_quantile\` does. 10, 100 and 500 ms are bounds, so whether
  a promise about them holds needs no estimate.
- \`eventmanager_delivery_duration_seconds\` and \`eventmanager_queue_wait_seconds\` begin when the event was stored, or when the subscription was created if that was later: whoever
  reads the past is not late for it. The log keeps whole milliseconds, and so do they.
- \`eventmanager_publish_duration_seconds\` ends when the store has the event; on the memory adapter \`publish\` then waits for handlers, which is not in it.
- **Failed** counts deliveries whose attempt failed. \`busy\` answers, which ask for a pause, and attempts that were cut by a stop are no failures.

Counting costs one to three percent of the processor time of an event published and delivered in memory (medians of interleaved rounds on a busy machine), less where a disk or a
network takes part.
`;
