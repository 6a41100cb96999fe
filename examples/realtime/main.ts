// #region receiver
import { receiveRealtime } from '@event-manager/realtime';
import { receiver as receiveWebhook } from '../webhook-receiver/receiver.ts';

const secret = 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';
const got = inTurn<string>(); // what came, for the lines below

const server = receiveWebhook(secret, async (event) => got.put(`webhook:  ${(event as { type: string }).type}`));
const realtime = () =>
  receiveRealtime(server, {
    path: '/events/realtime',
    secrets: [secret],
    handler: (event, { attempt }) => got.put(`realtime: ${event.type}, attempt ${attempt}`),
  });
let receiving = realtime();
// #endregion
const host = await listen();

// #region stream
import { EventManagerClient } from '@event-manager/client';

await using events = new EventManagerClient(process.env['EVENT_MANAGER_URL'] ?? 'http://localhost:3004');

const stream = await events.createRealtimeStream({
  subscriberId: 'assistant',
  endpoint: `ws://${host}/events/realtime`,
  secret,
  filters: { priority: ['CRITICAL', 'HIGH'] },
  options: { fallbackWebhook: `http://${host}/events/webhook`, heartbeatInterval: 10_000 },
});
console.log(`connected: ${stream.isConnected()}`);
await events.publish({ type: 'process.stuck', source: 'shop', priority: 'HIGH' });
console.log(await got.next());
// #endregion

// #region fallback
await receiving.close(); // the WebSocket is gone; the webhook is not
await events.publish({ type: 'user.error', source: 'shop', priority: 'HIGH' });
console.log(await got.next());
// #endregion

// #region back
receiving = realtime();
await way('realtime');
await events.publish({ type: 'system.failure', source: 'shop', priority: 'CRITICAL' });
console.log(await got.next());
// #endregion
await stream.close();

// #region handler
const mine = await events.setupRealtimeStream('assistant', { priority: ['CRITICAL'], topic: 'alert.*' });
mine.onEvent((event) => ({ ...event, seen: true })); // the next handler gets what this one returns
mine.onEvent((event) => got.put(`handler:  ${event.type}, seen: ${(event as { seen?: boolean }).seen}`));
await events.publish({ type: 'alert.fire', source: 'house', priority: 'CRITICAL' });
console.log(await got.next());
// #endregion

// #region attached
await events.subscribe({
  name: 'alarms',
  topic: 'alarm.*',
  handler: (event) => got.put(`attached: ${event.type}`),
  secret,
  options: { realtime: true, fallbackWebhook: `http://${host}/events/webhook` },
});
await events.publish({ type: 'alarm.rang', source: 'house' });
console.log(await got.next());
// #endregion
server.closeAllConnections();
server.close();

/** What one side puts in, the other takes out, in order. */
function inTurn<Value>(): { put(value: Value): void; next(): Promise<Value> } {
  const waiting: Value[] = [];
  const asked: ((value: Value) => void)[] = [];
  return {
    put(value) {
      const ask = asked.shift();
      if (ask) ask(value);
      else waiting.push(value);
    },
    next: () => new Promise((resolve) => (waiting.length > 0 ? resolve(waiting.shift()!) : asked.push(resolve))),
  };
}

async function listen(): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
}

/** Resolves when the stream goes this way. */
async function way(wanted: 'realtime' | 'fallback'): Promise<void> {
  for (;;) {
    const { status } = await events.getSubscription(stream.subscription.id);
    if (status.realtime?.way === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
