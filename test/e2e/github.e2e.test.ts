import { checkHistory, type HistoryEntry } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { digest } from '../../examples/github-demo/digest.ts';
import { followStream } from '../../examples/github-demo/follow-stream.ts';
import { githubEvents, PAYLOADS_EXPECTED } from '../../examples/github-demo/github-events.ts';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { publishUntilAcknowledged } from './support/publish-until-acknowledged.ts';
import { subscribeWebhook } from './support/subscribe-webhook.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

const PUBLISHERS = 4;
const WINDOW = 64;
const environment = { EVENT_MANAGER_WEBHOOK_ALLOW: 'loopback' };

it('delivers every acknowledged GitHub event to every subscription although the service is killed half-way', async () => {
  const dataDir = temporaryDirectory();
  const history: HistoryEntry[] = [];
  let service = await ServiceProcess.start({ dataDir, port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const { url, port } = service;
  const options = { inFlightMax: WINDOW };
  await subscribeWebhook({ url, name: 'all', topic: '#', history, options });
  await subscribeWebhook({ url, name: 'pull-requests', topic: 'github.pull_request.*', history, options });
  const streamed = followAll(url, history);
  await streamed.opened;

  const events = [...githubEvents()];
  expect(events.length).toBe(PAYLOADS_EXPECTED);
  const rest = events.values();
  let acknowledged = 0;
  const publish = async (client: string) => {
    for (const event of rest) {
      const isPullRequest = event.topic.startsWith('github/pull_request/');
      const subscriptions = ['all', 'stream', ...(isPullRequest ? ['pull-requests'] : [])];
      await publishUntilAcknowledged(event, { url, client, history, subscriptions });
      acknowledged++;
    }
  };
  const publishers = Promise.all(Array.from({ length: PUBLISHERS }, (_, number) => publish(`publisher-${number}`)));
  await until('half of the events are acknowledged', 30_000, () => acknowledged >= events.length / 2);
  await service.stop('SIGKILL');
  service = await ServiceProcess.start({ dataDir, port, environment });
  await publishers;

  await until('every event has arrived', 60_000, () => checkHistory(history).lost === 0);
  const report = checkHistory(history);
  process.stdout.write(
    `${JSON.stringify({ test: 'github', ...report, subscriptions: undefined, examples: undefined })}\n`,
  );
  expect(report).toMatchObject({ acked: events.length, lost: 0, unexpected: 0, attemptsRepeated: 0 });
  for (const subscription of report.subscriptions) expect(subscription.duplicates).toBeLessThanOrEqual(WINDOW);
  const stream = report.subscriptions.find(({ subscription }) => subscription === 'stream');
  expect(stream).toMatchObject({ delivered: events.length, duplicates: 0 });
  expect(await service.stop('SIGTERM')).toBe(0);
});

/** A client of the stream, which resumes behind its last id when the service comes back. */
function followAll(url: string, history: HistoryEntry[]): { opened: Promise<void> } {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  history.push({ kind: 'subscribe', subscription: 'stream' });
  const opened = new Promise<void>((resolve) => {
    const onFrame = ({ kind, data }: { kind: string; data: string }) => {
      expect(kind).toBe('event');
      const event = JSON.parse(data) as { id: string; payload: object };
      history.push({ kind: 'deliver', subscription: 'stream', id: event.id, digest: digest(event.payload) });
    };
    void followStream({ url: `${url}/events/stream`, signal: abort.signal, onFrame, onOpen: resolve });
  });
  return { opened };
}
