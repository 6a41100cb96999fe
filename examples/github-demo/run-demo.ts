import { digest } from './digest.ts';
import { followStream } from './follow-stream.ts';
import { type GitHubEvent, githubEvents, PAYLOADS_EXPECTED } from './github-events.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

const PATIENCE_MS = 30_000;
const PULL_REQUESTS = 'github.pull_request.*';

/** What one receiver got: the digest of the payload by event id. */
type Received = Map<string, string>;

interface Receiver {
  readonly name: string;
  readonly pattern: string;
  readonly received: Received;
  readonly close: () => Promise<void> | void;
}

/** Publishes what GitHub really sent, receives it in three ways, and compares. Returns true when all agree. */
export async function runDemo(url: string, print: (line: string) => void): Promise<boolean> {
  const events = githubEvents();
  const surprise = events.length === PAYLOADS_EXPECTED ? '' : ` (${PAYLOADS_EXPECTED} were expected)`;
  print(`${events.length} real GitHub payloads${surprise}, ${kindsOf(events)} types, ${bytesOf(events)} bytes.`);
  const receivers = [await openWebhook(url, PULL_REQUESTS), await openWebhook(url, '#'), await openStream(url)];
  try {
    await publishAll(url, events, print);
    const results = [];
    for (const receiver of receivers) results.push(await judge(receiver, events, print));
    const agree = results.every((isRight) => isRight);
    print(
      agree ? 'All receivers agree with what was published.' : 'The receivers do not agree with what was published.',
    );
    return agree;
  } finally {
    for (const receiver of receivers) await receiver.close();
  }
}

async function openWebhook(url: string, pattern: string): Promise<Receiver> {
  const received: Received = new Map();
  const webhook = await WebhookReceiver.start(({ id, event }) => received.set(id, digest(event.payload)));
  const { endpoint, secret } = webhook;
  const name = `github-demo ${pattern} ${crypto.randomUUID().slice(0, 8)}`;
  const answer = await post(`${url}/subscriptions`, { name, topic: pattern, endpoint, secret });
  if (answer.status !== 201) {
    webhook.close();
    const hint =
      answer.body.code === 'endpoint_blocked' ? ' Start the service with EVENT_MANAGER_WEBHOOK_ALLOW=loopback.' : '';
    throw new Error(`The subscription was refused: ${answer.body.detail}${hint}`);
  }
  const close = async () => {
    await fetch(`${url}/subscriptions/${answer.body.id}`, { method: 'DELETE' });
    webhook.close();
  };
  return { name: `webhook on ${pattern}`, pattern, received, close };
}

async function openStream(url: string): Promise<Receiver> {
  const received: Received = new Map();
  const abort = new AbortController();
  const following = new Promise<void>((resolve) => {
    const onFrame = ({ kind, data }: { kind: string; data: string }) => {
      if (kind !== 'event') return;
      const event = JSON.parse(data) as GitHubEvent;
      received.set(event.id, digest(event.payload));
    };
    void followStream({ url: `${url}/events/stream`, signal: abort.signal, onFrame, onOpen: resolve });
  });
  await following;
  return { name: 'stream of everything', pattern: '#', received, close: () => abort.abort() };
}

async function publishAll(url: string, events: readonly GitHubEvent[], print: (line: string) => void): Promise<void> {
  const startedMs = performance.now();
  let stored = 0;
  for (const event of events) {
    const { status, body } = await post(`${url}/events`, event);
    if (status !== 201) throw new Error(`${event.type} was refused: ${body.detail}`);
    stored++;
  }
  print(`Published one by one: ${stored} stored, in ${Math.round(performance.now() - startedMs)} ms.`);
}

/** Waits until everything has arrived, or for as long as a person would. */
async function judge(
  receiver: Receiver,
  events: readonly GitHubEvent[],
  print: (line: string) => void,
): Promise<boolean> {
  const wanted = events.filter(({ topic }) => receiver.pattern === '#' || topic.startsWith('github/pull_request/'));
  const missing = () => wanted.filter(({ id, payload }) => receiver.received.get(id) !== digest(payload));
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (missing().length > 0 && performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const right = wanted.length - missing().length;
  const strangers = [...receiver.received.keys()].filter(
    (id) => receiver.pattern !== '#' && !wanted.some((event) => event.id === id),
  ).length;
  print(
    `${receiver.name}: ${right} of ${wanted.length} received, payloads equal${strangers > 0 ? `, ${strangers} too many` : ''}.`,
  );
  return right === wanted.length && strangers === 0;
}

async function post(
  url: string,
  value: unknown,
): Promise<{ status: number; body: { id: string; code: string; detail: string } }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value) });
  return { status: response.status, body: (await response.json()) as { id: string; code: string; detail: string } };
}

function kindsOf(events: readonly GitHubEvent[]): number {
  return new Set(events.map(({ type }) => type)).size;
}

function bytesOf(events: readonly GitHubEvent[]): string {
  const bytes = events.reduce((sum, { payload }) => sum + Buffer.byteLength(JSON.stringify(payload)), 0);
  return bytes.toLocaleString('en');
}
