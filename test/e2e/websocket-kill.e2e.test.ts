import { join } from 'node:path';
import { checkHistory, type HistoryEntry, SeededChance } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { digest } from '../../examples/github-demo/digest.ts';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { publishUntilAcknowledged } from './support/publish-until-acknowledged.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

/** `KILLS=100 SEED=7` runs it longer, or again. */
const KILLS = Number(process.env['KILLS'] ?? 8);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
const LIFE_MS_MAX = 800;
const AGAIN_MS = 20;
/** Acknowledged in each life, on however slow a machine. */
const PER_LIFE = 10;

it(`loses nothing for a named subscription and a stream in ${KILLS} kills`, {
  timeout: 60_000 + KILLS * 6_000,
}, async () => {
  const chance = new SeededChance(SEED);
  const dataDir = join(temporaryDirectory(), 'data');
  let service = await ServiceProcess.start({ dataDir, port: 0 });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const { url, port } = service;
  const history: HistoryEntry[] = ['named', 'stream'].map((subscription) => ({ kind: 'subscribe', subscription }));
  const reader = new Reader(url, history);
  onTestFinished(() => reader.stop());
  await until('the subscription exists', 10_000, () => reader.isReady);

  let isStopping = false;
  const publisher = (async () => {
    for (let number = 0; !isStopping; number++) {
      const payload = { number };
      const event = { id: crypto.randomUUID(), type: 'load.made', source: 'test', payload };
      await publishUntilAcknowledged(event, { url, client: 'p', history, subscriptions: ['named', 'stream'] });
    }
  })();
  const acknowledgements = () => history.filter(({ kind }) => kind === 'ok').length;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = acknowledgements();
    await new Promise((resolve) => setTimeout(resolve, chance.fraction() * LIFE_MS_MAX));
    await until('this life took something', 30_000, () => acknowledgements() >= before + PER_LIFE);
    await service.stop('SIGKILL');
    service = await ServiceProcess.start({ dataDir, port });
  }
  isStopping = true;
  await publisher;
  const acknowledged = new Set(history.flatMap((entry) => (entry.kind === 'ok' ? [entry.id] : [])));
  await until('every acknowledged event has arrived', 60_000, () =>
    [...acknowledged].every((id) => reader.seen['named'].has(id) && reader.seen['stream'].has(id)),
  );
  const report = checkHistory(history);
  const line = { test: 'websocket-kill', seed: SEED, kills: KILLS, ...report };
  process.stdout.write(`${JSON.stringify({ ...line, subscriptions: undefined, examples: undefined })}\n`);
  expect(report, `SEED=${SEED}`).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
  expect(report.acked).toBeGreaterThanOrEqual(KILLS * PER_LIFE);
  // A stream gets everything once, in order, whatever was cut: its cursor is all it needs.
  const stream = report.subscriptions.find(({ subscription }) => subscription === 'stream');
  expect(stream).toMatchObject({ duplicates: 0, inversions: 0 });
});

/** A client as anybody might write it: connects again, names its subscription and its last cursor, and goes on. */
class Reader {
  isReady = false;
  readonly seen = { named: new Set<string>(), stream: new Set<string>() };
  readonly #url: string;
  readonly #history: HistoryEntry[];
  #cursor = 'latest';
  #socket: WebSocket | undefined;
  #isStopped = false;

  constructor(url: string, history: HistoryEntry[]) {
    this.#url = url;
    this.#history = history;
    this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#url.replace('http:', 'ws:')}/ws`);
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#isStopped) setTimeout(() => this.#connect(), AGAIN_MS);
    });
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'stream', ref: 's', from: this.#cursor }));
      socket.send(JSON.stringify({ type: 'subscribe', ref: 'n', subscription: { name: 'named', topic: '#' } }));
    });
    socket.on('message', (data) => this.#take(JSON.parse(String(data)), socket));
  }

  // biome-ignore lint/suspicious/noExplicitAny: frames of every shape.
  #take(frame: any, socket: WebSocket): void {
    if (frame.type === 'streaming') this.#cursor = frame.cursor;
    if (frame.type === 'subscribed') this.isReady = true;
    if (frame.type === 'event') {
      this.#cursor = frame.cursor;
      this.#arrived('stream', frame.event, 1);
    }
    if (frame.type !== 'delivery') return;
    for (const { event, attempt } of frame.deliveries) this.#arrived('named', event, attempt);
    socket.send(
      JSON.stringify({ type: 'ack', deliveries: frame.deliveries.map((d: { delivery: number }) => d.delivery) }),
    );
  }

  #arrived(subscription: 'named' | 'stream', event: { id: string; payload: object }, attempt: number): void {
    this.seen[subscription].add(event.id);
    this.#history.push({ kind: 'deliver', subscription, id: event.id, attempt, digest: digest(event.payload) });
  }
}
