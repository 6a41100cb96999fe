import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
// #region serve
import { EventBus } from '@event-manager/core';
import { EventIntegratedWebSocketManager, exposePages, PAGES_CONTENT_TYPE } from '@event-manager/realtime';

const bus = new EventBus({ name: 'shop' });
const sockets = new EventIntegratedWebSocketManager({ port: 0 }); // without it 3002
await sockets.subscribeToEventBus(bus);
// #endregion
let url = `ws://localhost:${sockets.port}/ws`;
const shown = inTurn<string>(); // what pages show, for the lines below

// #region page
let last: string | undefined; // up to here this page has everything

function follow(onOpen = (_page: WebSocket) => {}): WebSocket {
  const page = new WebSocket(last === undefined ? url : `${url}?cursor=${last}`);
  page.onopen = () => onOpen(page);
  page.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === 'event') shown.put(`${frame.event.type} ${JSON.stringify(frame.event.payload)}`);
    if (frame.type === 'hello' || frame.type === 'subscribed') shown.put(frame.type);
    if (frame.cursor !== undefined) last = frame.cursor;
  };
  return page;
}
// #endregion

// #region everything
let page = follow();
await shown.next(); // hello
await bus.publish('task/created', 'task_created', { title: 'Paint the fence' });
console.log(await shown.next());
// #endregion

// #region types
page.send(JSON.stringify({ type: 'subscribe', eventTypes: ['task_created', 'order.*'] }));
await shown.next(); // subscribed
await bus.publish('task/deleted', 'task_deleted', { title: 'Paint the fence' });
await bus.publish('order.paid', 'order.paid', { total: 12.5 });
console.log(await shown.next());
// #endregion

// #region back
page.close(); // the network, the laptop, the server: it makes no difference
await closed(page);
await bus.publish('order.sent', 'order.sent', { parcel: 'P-7' });
await bus.publish('order.sent', 'order.sent', { parcel: 'P-8' });
page = follow();
await shown.next(); // hello
console.log(await shown.next());
console.log(await shown.next());
// #endregion

// #region bridge
const bridged = new EventIntegratedWebSocketManager({
  port: 0,
  topics: ['task.*'], // pages of this one see nothing else
  bridge: {
    types: { task_created: 'taskCreated', task_archived: false },
    transform: { task_created: ({ data }) => ({ title: data['title'], initial: String(data['title'])[0] }) },
  },
});
await bridged.subscribeToEventBus(bus);
// #endregion
await leave(page);
[url, last] = [`ws://localhost:${bridged.port}/ws`, undefined];
page = follow();
await shown.next();
// #region bridged
await bus.publish('task/archived', 'task_archived', { title: 'Old' });
await bus.publish('task/created', 'task_created', { title: 'Buy wood', cost: 80 });
console.log(await shown.next());
// #endregion
await leave(page);

// #region failing
const failing = new EventIntegratedWebSocketManager({
  port: 0,
  bridge: { transform: { task_created: ({ data }) => ({ title: (data['title'] as string).trim() }) } },
  onFailure: (error) => console.log(`told: ${(error as Error).name}`),
});
await failing.subscribeToEventBus(bus);
// #endregion
[url, last] = [`ws://localhost:${failing.port}/ws`, undefined];
page = follow();
await shown.next();
// #region failed
await bus.publish('task/created', 'task_created', { name: 'without a title' });
await bus.publish('task/created', 'task_created', { title: ' Dig ' });
console.log(await shown.next());
console.log(failing.getMetrics().conversionsFailedByType);
// #endregion
await leave(page);

// #region metrics
const { connections, accepted, eventsSent, shed } = sockets.getMetrics();
console.log({ connections, accepted, eventsSent, shed });
console.log(Object.keys(bus.getMetrics()?.parts ?? {}));
// #endregion

// #region prometheus
const metricsServer = createServer((_request, response) => {
  response.setHeader('content-type', PAGES_CONTENT_TYPE);
  response.end(exposePages(sockets.getMetrics()));
});
// #endregion
await new Promise<void>((listening) => metricsServer.listen(0, '127.0.0.1', listening));
const { port } = metricsServer.address() as AddressInfo;
// #region scraped
const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
console.log(scraped.split('\n').filter((line) => line.startsWith('eventmanager_pages')));
// #endregion
metricsServer.closeAllConnections();
metricsServer.close();

// #region proxy
const behindProxy = new EventIntegratedWebSocketManager({
  port: 0,
  maxConnectionsPerAddress: 20,
  addressOf: ({ headers }) => headers['x-real-ip'] as string, // set by the proxy, whatever a page sends
});
// #endregion

// #region close
for (const server of [sockets, bridged, failing, behindProxy]) await server.close();
await bus.close();
// #endregion

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

async function leave(socket: WebSocket): Promise<void> {
  socket.close();
  await closed(socket);
}

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.onclose = () => resolve();
  });
}
