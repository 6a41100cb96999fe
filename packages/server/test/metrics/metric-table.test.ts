import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ABSENT_METRICS, METRICS, PROCESS_METRICS } from '../../src/metrics/metric-table.ts';
import { call, runService } from '../running-service.ts';
import { parseExposition } from './parse-exposition.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/metrics.md'), 'utf8');

/** Every name that the specification, its alert rules and its relatives give a metric. */
const ASKED_FOR = [
  ...['eventsPublished', 'eventsProcessed', 'eventsRetried', 'eventsFailed', 'publishLatency', 'handlerLatency'],
  ...['endToEndLatency', 'queueDepth', 'activeSubscriptions', 'deadLetterCount', 'memoryUsage', 'cpuUsage'],
  ...['connectionPool', 'eventsPublishedTotal', 'eventsProcessedTotal', 'aasEventsDelivered', 'aasDeliveryLatency'],
  ...['aasWebhookFailures', 'aasWebSocketDisconnections', 'eventsDeliveredToAAS', 'aasEventsPerMinute'],
  ...['aasFilteredEvents', 'aasBatchedEvents', 'assistanceOpportunitiesIdentified', 'proactiveSuggestionsGenerated'],
  ...['userActionsTriggered', 'aas_webhook_failures', 'event_manager_queue_depth', 'aas_websocket_connected'],
  ...['Event Throughput', 'Memory Usage', 'Error Rate', 'Queue Depth'],
];

it('answers every name that is asked for, or says why not', () => {
  const answered = [...METRICS.flatMap(({ asks = [] }) => asks), ...Object.values(PROCESS_METRICS).flat()];
  expect([...new Set(answered), ...Object.keys(ABSENT_METRICS)].sort()).toEqual([...ASKED_FOR].sort());
});

it('is the same in the table, in the document and in the answer', async () => {
  const { url } = await runService();
  const { body } = await call(`${url}/metrics`);
  const families = parseExposition(body, 'prometheus').filter(({ name }) => !/^(process|nodejs)_/.test(name));
  const table = METRICS.map(({ name, type, help }) => ({ name, type, help }));
  expect(families.map(({ name, type, help }) => ({ name, type, help }))).toEqual(table);
  const documented = [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| .* \| (.+) \| .*\|$/gm)];
  expect(documented.map(([, name, type, help]) => ({ name, type, help }))).toEqual(table);
});

it('names metrics by one prefix and their base unit, apart from those that rules in use name', () => {
  const rules = ['event_manager_queue_depth', 'aas_webhook_failures', 'aas_websocket_connected'];
  for (const { name, type } of METRICS.filter((metric) => !rules.includes(metric.name))) {
    expect(name).toMatch(/^eventmanager_[a-z][a-z_]*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});
