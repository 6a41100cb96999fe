import { expect, it } from 'vitest';
import { exposePages, PAGE_METRICS } from '../../src/index.ts';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { servePages } from './serve-pages.ts';

/** Lines that Prometheus cannot read are lost together with all that are scraped with them. */
it('writes every number in the text form of Prometheus', async () => {
  const { bus, sockets, url } = await servePages({ maxConnectionsPerAddress: 1 });
  const page = await PageClient.open(url);
  await new PageClient(url).untilOver();
  await bus.publish('a', 'a');
  await page.until(() => page.types.length === 1);
  await until(() => sockets.getMetrics().refused === 1);
  const lines = exposePages(sockets.getMetrics()).split('\n');
  expect(lines.pop()).toBe('');
  const samples = lines.filter((line) => !line.startsWith('#'));
  for (const line of samples) expect(line).toMatch(/^eventmanager_page[a-z_]+(\{[a-z]+="[A-Za-z]+"\})? \d+$/);
  const names = new Set(samples.map((line) => line.split(/[ {]/, 1)[0]));
  expect([...names]).toEqual(PAGE_METRICS.map(({ name }) => name));
  for (const { name, type } of PAGE_METRICS) {
    expect(lines.filter((line) => line === `# TYPE ${name} ${type}`)).toHaveLength(1);
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
  }
  expect(samples).toEqual(
    expect.arrayContaining([
      'eventmanager_pages 1',
      'eventmanager_pages_accepted_total 1',
      'eventmanager_pages_refused_total{reason="address"} 1',
      'eventmanager_pages_refused_total{reason="other"} 0',
      'eventmanager_page_events_sent_total 1',
      'eventmanager_page_events_shed_total{priority="LOW"} 0',
    ]),
  );
});

/** A number that is counted and not shown is one that nobody looks at. */
it('shows every number of `getMetrics`, but those by names that publishers choose', async () => {
  const { sockets } = await servePages();
  const { conversionsFailedByType: _byType, ...metrics } = sockets.getMetrics();
  const shown = (changed: object) => exposePages({ ...sockets.getMetrics(), ...changed });
  for (const [name, value] of Object.entries(metrics)) {
    const changed = typeof value === 'number' ? 4_711 : { ...value, LOW: 4_711 };
    expect([name, shown({ [name]: changed }).includes(' 4711\n')]).toEqual([name, true]);
  }
});
