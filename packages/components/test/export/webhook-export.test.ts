import type { EventsConfig, EventsReport } from '@event-manager/components';
import { systemRuntime } from '@event-manager/core';
import { generateSecret, verify } from '@event-manager/webhook';
import { describe, expect, it } from 'vitest';
import { collecting } from '../collecting.ts';
import { until } from '../until.ts';
import { startReceiver } from './receiver.ts';

type ExportWords = NonNullable<EventsConfig['export']>;

/** Waits of a second and more end when the test says so. */
async function posting(settings: ExportWords) {
  const reports: EventsReport[] = [];
  const waits: { readonly delayMs: number; readonly call: () => void }[] = [];
  const timers = {
    ...systemRuntime.timers,
    after(delayMs: number, call: () => void, keepsAlive?: boolean) {
      if (delayMs < 500 || delayMs >= 4_900) return systemRuntime.timers.after(delayMs, call, keepsAlive);
      const wait = { delayMs, call };
      waits.push(wait);
      return () => void (waits.includes(wait) && waits.splice(waits.indexOf(wait), 1));
    },
  };
  const options = {
    runtime: { ...systemRuntime, timers },
    onReport: (report: EventsReport) => void reports.push(report),
  };
  const made = await collecting({ export: { webhookAllow: ['loopback'], ...settings }, statsIntervalMs: 0 }, options);
  const context = made.registry.createExecutionContext();
  const emit = (count: number) => {
    for (let n = 0; n < count; n++) context.emit('test.happened', { n });
  };
  const exported = () => made.registry.status().counts!;
  return { ...made, reports, waits, emit, exported };
}

describe('a webhook', () => {
  it('gets batches, signed, and an event once', async () => {
    const { url, requests } = await startReceiver();
    const webhookSecret = generateSecret(systemRuntime.chance);
    const { registry, emit, exported } = await posting({ webhook: url, webhookSecret, webhookBatchSize: 40 });
    emit(100);
    await registry.flush();
    expect(requests.map(({ events }) => events.length)).toEqual([40, 40, 20]);
    expect(requests.flatMap(({ events }) => events.map(({ payload }) => payload['n']))).toEqual([...Array(100).keys()]);
    for (const { body, headers } of requests) {
      expect(verify(body, headers, [webhookSecret])).toMatchObject({ valid: true });
    }
    expect(exported()).toMatchObject({ exported: 100, failed: { export: 0 } });
  });

  it('gets what came in a second in one request', async () => {
    const { url, requests } = await startReceiver();
    const { emit, waits, exported } = await posting({ webhook: url });
    emit(3);
    await until(() => waits.length > 0);
    emit(2);
    await until(() => exported().queued === 0);
    expect([requests.length, waits[0]!.delayMs]).toEqual([0, 1_000]);
    waits[0]!.call();
    await until(() => requests.length === 1);
    expect(requests[0]!.events.length).toBe(5);
  });

  it('that fails is tried again with the same id, for a while, and the rest goes on', async () => {
    const receiver = await startReceiver();
    receiver.answer(503);
    const { registry, emit, waits, exported, reports } = await posting({ webhook: receiver.url, webhookMaxRetries: 2 });
    emit(1);
    const flushed = registry.flush();
    for (const [attempts, least] of [
      [1, 500],
      [2, 1_000],
    ] as const) {
      await until(() => waits.length > 0 && receiver.requests.length === attempts);
      const { delayMs, call } = waits.pop()!;
      expect([delayMs >= least, delayMs <= 2 * least]).toEqual([true, true]);
      call();
    }
    await flushed;
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect([receiver.requests.length, exported().failed.export]).toEqual([3, 1]);
    receiver.answer(204);
    emit(1);
    await registry.flush();
    expect([exported().exported, reports.map(({ code }) => code)]).toEqual([1, ['export_failed', 'export_recovered']]);
  });

  it('that will not take a request is not asked again', async () => {
    const receiver = await startReceiver();
    receiver.answer(401);
    const { registry, emit, reports } = await posting({ webhook: receiver.url });
    emit(1);
    await registry.flush();
    expect([receiver.requests.length, reports[0]!.text]).toEqual([1, expect.stringContaining('(http_401)')]);
  });

  it('is asked nothing that would reach into the network', async () => {
    for (const webhook of [
      'http://169.254.169.254/latest',
      'http://[::1]/x',
      'http://10.0.0.1/',
      'http://localhost/x',
    ]) {
      const refused = posting({ webhook, webhookAllow: [] });
      await expect(refused).rejects.toMatchObject({
        code: 'invalid_setting',
        details: { setting: 'events.export.webhook', reason: 'endpoint_blocked' },
      });
    }
    await expect(posting({ webhook: 'file:///etc/passwd' })).rejects.toMatchObject({
      details: { reason: 'invalid_endpoint' },
    });
  });

  it('whose name turns out to be inside is not called', async () => {
    const { url, requests } = await startReceiver();
    const { port } = new URL(url);
    const reports: EventsReport[] = [];
    const { registry } = await collecting(
      { export: { webhook: `http://public.example.com:${port}/` } },
      { resolve: async () => [{ address: '127.0.0.1', family: 4 }], onReport: (report) => void reports.push(report) },
    );
    registry.createExecutionContext().emit('test.happened', {});
    await registry.flush();
    expect([requests.length, reports[0]!.text]).toEqual([0, expect.stringContaining('webhook_allow')]);
  });

  it('that never answers holds up neither components nor the end', { timeout: 30_000 }, async () => {
    const receiver = await startReceiver();
    receiver.answer(0);
    const { registry, emit } = await posting({ webhook: receiver.url });
    await registry.configure({ shutdownTimeoutMs: 300 });
    emit(5);
    await until(() => registry.status().counts!.queued === 0);
    const started = performance.now();
    const answer = await registry.close();
    expect([answer, performance.now() - started < 5_000]).toEqual([{ flushed: false, lost: 5 }, true]);
  });

  it('that never answers has at most 10,000 wait for it, and loses what comes then', { timeout: 30_000 }, async () => {
    const receiver = await startReceiver();
    receiver.answer(0);
    const { registry, emit, exported } = await posting({ webhook: receiver.url, webhookBatchSize: 100 });
    await registry.configure({ shutdownTimeoutMs: 300 });
    emit(100);
    await until(() => receiver.requests.length === 1);
    for (let n = 0; n < 10; n++) {
      emit(1_000);
      await until(() => exported().queued === 0);
    }
    expect(exported()).toMatchObject({ exported: 0, failed: { export: 0 } });
    emit(5);
    await until(() => exported().failed.export === 5);
    await registry.close();
  });
});

describe('several exports', () => {
  it('get what their own filters let through', async () => {
    const all = await startReceiver();
    const audit = await startReceiver();
    const { registry } = await posting({
      webhook: all.url,
      excludeTypes: ['*.debug'],
      audit: { webhook: audit.url, webhookAllow: ['loopback'], includeTypes: ['security.*', 'file.access'] },
    });
    await registry.configure({ emitDebugEvents: true });
    const context = registry.createExecutionContext();
    for (const type of ['agent.completed', 'security.login', 'file.access', 'agent.debug']) context.emit(type, {});
    await registry.flush();
    const types = ({ requests }: typeof all) => requests.flatMap(({ events }) => events.map(({ type }) => type));
    expect(types(all)).toEqual(['agent.completed', 'security.login', 'file.access']);
    expect(types(audit)).toEqual(['security.login', 'file.access']);
  });
});
