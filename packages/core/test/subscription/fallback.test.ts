import { describe, expect, it, onTestFinished } from 'vitest';
import type { DeliverOptions, Delivery, Outcome, Sink } from '../../src/contracts/sink.ts';
import { ANONYMOUS } from '../../src/principal.ts';
import { durableWorld, type EngineUnderTest, openMemory, sinkOf } from '../open-engine.ts';

const fallbackWebhook = 'https://aas.example/hook';

function numberOf({ record }: Delivery): number {
  return JSON.parse(Buffer.from(record.body).toString()).payload.n;
}

/** A receiver that takes everything, and says what. */
function taking(name: string, taken: string[]): Sink {
  return sinkOf((batch) => {
    taken.push(...batch.map((delivery) => `${name} ${numberOf(delivery)}`));
    return batch.map((): Outcome => ({ status: 'delivered' }));
  });
}

/** A socket whose answers come when a test gives them. */
class Socket implements Sink {
  readonly had: { batch: readonly Delivery[]; answer: (outcomes: readonly Outcome[]) => void }[] = [];
  closed = 0;

  deliver(batch: readonly Delivery[], _options: DeliverOptions): Promise<readonly Outcome[]> {
    return new Promise((answer) => this.had.push({ batch, answer }));
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

async function setUp(taken: string[]): Promise<EngineUnderTest> {
  const made = await openMemory({ webhookSink: () => taking('webhook', taken), systemEvents: true });
  onTestFinished(() => made.close({ drainMs: 0 }));
  return made;
}

const attach = (made: EngineUnderTest, sink: Sink, more: object = {}) =>
  made.time.run(
    made.engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', name: 'alarms', fallbackWebhook, ...more }, { sink }),
  );
const leave = (made: EngineUnderTest, id: string, sink: Sink) =>
  made.time.run(made.engine.subscriptions.detach(ANONYMOUS, id, { sink, drainMs: 0 }));

/** An alarm that waits for a connection which does not come back is an alarm that nobody hears. */
describe('a subscription with a fallback', () => {
  it('goes to the socket while one is attached, to the webhook half a second after it left, and back', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const first = taking('socket', taken);
    const { id } = await attach(made, first);
    await made.publishMany(1, 1);
    await made.settled();
    await leave(made, id, first);
    await made.publishMany(1, 2);
    await made.time.advance(400);
    expect(taken).toEqual(['socket 1']);
    await made.time.advance(200);
    await made.settled();
    expect(taken).toEqual(['socket 1', 'webhook 2']);
    expect(made.status(id).realtime).toEqual({ connected: false, way: 'fallback', switches: 1 });
    await attach(made, taking('again', taken));
    await made.publishMany(1, 3);
    await made.settled();
    await made.time.advance(1_500);
    await made.publishMany(1, 4);
    await made.settled();
    expect(taken).toEqual(['socket 1', 'webhook 2', 'webhook 3', 'again 4']);
    expect(made.status(id).realtime).toEqual({ connected: true, way: 'realtime', switches: 2 });
  });

  it('sends by webhook what the lost socket had, once, and spends no retry on it', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const socket = new Socket();
    const { id } = await attach(made, socket);
    await made.publishMany(3);
    await made.time.advance(10);
    expect(socket.had).toHaveLength(3);
    socket.had[1]!.answer([{ status: 'delivered' }]);
    await made.time.advance(1);
    await leave(made, id, socket);
    await made.time.advance(600);
    await made.settled();
    expect(taken.sort()).toEqual(['webhook 1', 'webhook 3']);
    expect(made.status(id).counts).toMatchObject({ delivered: 3, failed: 0, retried: 0, deadLettered: 0 });
  });

  it('does not go by webhook for the moment that a reconnecting socket is away', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const first = taking('socket', taken);
    const { id } = await attach(made, first);
    await leave(made, id, first);
    await made.publishMany(1, 1);
    await made.time.advance(300);
    await attach(made, taking('again', taken));
    await made.settled();
    await made.time.advance(60_000);
    expect(taken).toEqual(['again 1']);
    expect(made.status(id).realtime).toMatchObject({ switches: 0 });
  });

  it('tells of each switch', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const told: string[] = [];
    await made.subscribe({
      topic: '$sys/subscription/#',
      handler: ({ topic, payload }) => void told.push(`${topic} ${payload['name']}`),
    });
    const socket = taking('socket', taken);
    const { id } = await attach(made, socket);
    await leave(made, id, socket);
    await made.time.advance(600);
    await attach(made, taking('again', taken));
    await made.time.advance(1_100);
    await made.settled();
    expect(told).toEqual(['$sys/subscription/fallback-began alarms', '$sys/subscription/fallback-ended alarms']);
    expect(made.engine.metrics().realtime).toEqual({
      ...{ connected: 1, disconnected: 0, onFallback: 0, fallbacksBegan: 1, fallbacksEnded: 1 },
    });
  });

  it('forgets what a breaker learned of the webhook when the socket is back', async () => {
    const taken: string[] = [];
    const refusing = sinkOf((batch) =>
      batch.map(() => ({ status: 'retry', error: { code: 'http_500', message: 'no' } })),
    );
    const made = await openMemory({ webhookSink: () => refusing });
    onTestFinished(() => made.close({ drainMs: 0 }));
    const options = {
      breaker: { failures: 2, openMs: 3_600_000 },
      retryPolicy: { maxRetries: 50, initialDelay: 10, maxDelay: 10 },
    };
    const socket = taking('socket', taken);
    const { id } = await attach(made, socket, { options });
    await leave(made, id, socket);
    await made.publishMany(3);
    await made.time.advance(2_000);
    expect(made.status(id).receiver?.breaker).toBe('open');
    await attach(made, taking('again', taken), { options });
    await made.time.advance(1_100);
    await made.settled();
    expect(taken.sort()).toEqual(['again 1', 'again 2', 'again 3']);
  });

  it('lives on without its handler and without its name, and the same words find it', async () => {
    const taken: string[] = [];
    const { open, time } = durableWorld();
    const webhookSink = () => taking('webhook', taken);
    const request = { topic: '#', options: { realtime: true, fallbackWebhook } };
    const first = await open({ webhookSink });
    const handler = (name: string) => (event: { payload: object }) =>
      void taken.push(`${name} ${(event.payload as { n: number }).n}`);
    const { id } = await first.subscribe({ ...request, handler: handler('first') });
    await first.publishMany(1, 1);
    await first.settled();
    await first.close();
    const second = await open({ webhookSink });
    onTestFinished(() => second.close({ drainMs: 0 }));
    await second.publishMany(1, 2);
    await time.advance(1_000);
    await second.settled();
    expect(taken).toEqual(['first 1', 'webhook 2']);
    const again = await second.subscribe({ ...request, handler: handler('second') });
    expect(again.id).toBe(id);
    await time.advance(1_100);
    await second.publishMany(1, 3);
    await second.settled();
    expect(taken).toEqual(['first 1', 'webhook 2', 'second 3']);
    await expect(
      second.subscribe({ ...request, handler: handler('x'), options: { ...request.options, timeout: 7 } }),
    ).rejects.toMatchObject({
      code: 'subscription_conflict',
      details: { pointer: '' },
    });
  });

  it('does not make a publisher wait for a handler that is not there', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const { id } = await made.subscribe({ topic: '#', name: 'h', handler: () => {}, fallbackWebhook });
    await made.time.run(made.engine.subscriptions.detach(ANONYMOUS, id));
    await made.publishMany(1);
    await made.time.advance(600);
    await made.settled();
    expect(taken).toEqual(['webhook 1']);
  });

  it('attaches sockets that do not know of it', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const { id } = await made.subscribe({ topic: '#', name: 'alarms', endpoint: fallbackWebhook, realtime: true });
    const attached = await made.time.run(
      made.engine.subscriptions.subscribe(ANONYMOUS, { topic: '#', name: 'alarms' }, { sink: taking('socket', taken) }),
    );
    expect(attached.id).toBe(id);
    await made.publishMany(1);
    await made.settled();
    expect(taken).toEqual(['socket 1']);
  });

  it('is left with the webhook alone by one change, and has its sockets again by another', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const { subscriptions } = made.engine;
    const { id } = await attach(made, taking('socket', taken));
    await made.time.run(subscriptions.update(ANONYMOUS, id, { realtime: false }));
    await made.publishMany(1, 1);
    await made.settled();
    expect(made.status(id)).not.toHaveProperty('realtime');
    await made.time.run(subscriptions.update(ANONYMOUS, id, { realtime: true }));
    await made.publishMany(1, 2);
    await made.settled();
    expect(taken).toEqual(['webhook 1', 'socket 2']);
  });

  it('ends with everything when it is unsubscribed', async () => {
    const taken: string[] = [];
    const made = await setUp(taken);
    const socket = new Socket();
    const { id } = await attach(made, socket);
    await made.time.run(made.engine.subscriptions.unsubscribe(ANONYMOUS, id));
    expect(socket.closed).toBe(1);
    await made.publishMany(1);
    await made.time.advance(5_000);
    expect(taken).toEqual([]);
    expect(made.engine.subscriptions.list(ANONYMOUS)).toEqual([]);
  });
});

it('is refused where there is no way to a webhook or a WebSocket', async () => {
  const made = await openMemory();
  onTestFinished(() => made.close());
  for (const [request, pointer] of [
    [{ handler: () => {}, fallbackWebhook }, '/fallbackWebhook'],
    [{ endpoint: 'wss://aas.example/' }, '/endpoint'],
  ] as const) {
    await expect(made.subscribe(request)).rejects.toMatchObject({ code: 'not_supported', details: { pointer } });
  }
});
