import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBus, loggingMiddleware, MetricsMiddleware } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { EventIntegratedWebSocketManager } from '@event-manager/realtime';
import { type WebSocket as Socket, WebSocketServer } from 'ws';

interface Task {
  readonly id: string;
  readonly title: string;
}
const tasks = new Map<string, Task>();
const said: string[] = []; // what listeners and pages show, for the lines below
let wake: (() => void) | undefined;

// #region before
const clients = new Set<Socket>();
const direct = new WebSocketServer({ port: 0 });
direct.on('connection', (client) => {
  clients.add(client);
  client.on('close', () => clients.delete(client));
});

function createTaskBefore(task: Task): void {
  tasks.set(task.id, task);
  const text = JSON.stringify({ type: 'task_created', data: task, timestamp: new Date() });
  for (const client of clients) client.send(text); // whoever is away will never know
}
// #endregion

// #region page-before
function oldPage(url: string): WebSocket {
  const page = new WebSocket(url);
  page.onmessage = ({ data }) => {
    const said = JSON.parse(data);
    if (said.type === 'task_created') show(`old page: ${said.data.title}`);
  };
  return page;
}
// #endregion
const before = oldPage(`ws://localhost:${portOf(direct)}`);
await opened(before);
createTaskBefore({ id: 't-1', title: 'Paint the fence' });
await printed();
before.close();
direct.close();

const folder = mkdtempSync(join(tmpdir(), 'from-direct-websockets-'));

// #region persistence
const bus = new EventBus({ adapter: journal({ directory: join(folder, 'events') }), name: 'tasks' });
// #endregion

// #region middleware
const metrics = new MetricsMiddleware();
if (process.env['LOG_EVENTS']) bus.use(loggingMiddleware);
bus.use(metrics.middleware);
bus.use((event, next) => next({ ...event, metadata: { ...event.metadata, projectId: 'garden' } }));
// #endregion

// #region publish
async function createTask(task: Task): Promise<void> {
  await bus.publish('task/created', 'task_created', task); // durable, for whoever wants to know
  tasks.set(task.id, task);
}
// #endregion

// #region listeners
await bus.subscribe('task.*', ({ type, payload }) => show(`listener: ${type} ${payload.title}`));
// #endregion

// #region legacy
const sockets = new EventIntegratedWebSocketManager({ port: 0, bridge: { rollout: { share: 0 } } });
await sockets.subscribeToEventBus(bus);
// #endregion
const url = `ws://localhost:${sockets.port}/ws`;
const old = oldPage(url);
await heard(old);
await createTask({ id: 't-2', title: 'Buy wood' });
await printed(2);

// #region page-after
let cursor: string | undefined;

function newPage(address: string): WebSocket {
  const page = new WebSocket(`${address}?form=event${cursor === undefined ? '' : `&cursor=${cursor}`}`);
  page.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === 'event') show(`new page: ${frame.event.payload.title}, of ${frame.event.metadata.projectId}`);
    if (frame.type === 'gap' || frame.type === 'shed') show('new page: loads everything anew');
    if (frame.cursor !== undefined) cursor = frame.cursor;
  };
  return page;
}
// #endregion
const both = newPage(url);
await heard(both);
await createTask({ id: 't-3', title: 'Dig holes' });
await printed(3);
// #region away
for (const page of [old, both]) page.close();
await createTask({ id: 't-4', title: 'Set the posts' });
// #endregion
await printed();
// #region again
const again = newPage(url);
// #endregion
await printed();
again.close();
await sockets.close();

// #region rollout
const rolledOut = new EventIntegratedWebSocketManager({
  port: 0,
  bridge: { rollout: { share: 0.1, eventTypes: ['task_created'] } },
});
// #endregion
await rolledOut.subscribeToEventBus(bus);
// #region draw
const forms = { event: 0, legacy: 0 };
for (let index = 0; index < 200; index++) {
  const page = new WebSocket(`ws://localhost:${rolledOut.port}/ws?client=page-${index}`);
  page.onmessage = ({ data }) => {
    const { type } = JSON.parse(data);
    if (type === 'event') forms.event++;
    if (type === 'task_created') forms.legacy++;
  };
  await heard(page);
}
await createTask({ id: 't-5', title: 'Fix the rails' });
while (forms.event + forms.legacy < 200) await new Promise((resolve) => setTimeout(resolve, 5));
show(`of 200 pages ${forms.event} read the new form`);
// #endregion
await printed(2);
await rolledOut.close();
await bus.close();
rmSync(folder, { recursive: true });

/** Lines are printed in the order of their texts where several come at once: who is told first is nobody's to say. */
function show(line: string): void {
  said.push(line);
  wake?.();
}

async function printed(count = 1): Promise<void> {
  while (said.length < count) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  for (const line of said.splice(0, count).sort()) console.log(line);
}

function opened(page: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    page.onopen = () => resolve();
  });
}

/** Its first frame came: from here on it gets everything. */
function heard(page: WebSocket): Promise<void> {
  return new Promise((resolve) => page.addEventListener('message', () => resolve(), { once: true }));
}

function portOf(server: WebSocketServer): number {
  return (server.address() as { port: number }).port;
}
