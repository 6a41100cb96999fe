import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type ComponentEvent, ComponentRegistry, type EventsReport } from '@event-manager/components';
import { EventBus, systemRuntime } from '@event-manager/core';
import { retainedBytes } from '@event-manager/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RateWindow } from '../../src/system/rate-window.ts';
import { collecting } from '../collecting.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { until } from '../until.ts';

describe('classes of events', () => {
  const run = async (config: object) => {
    const { registry, types } = await collecting({ ...config });
    const context = registry.createExecutionContext();
    context.wrapTool('search', () => 1)();
    try {
      context.wrapTool('broken', () => {
        throw new TypeError('no');
      })();
    } catch {
      // What is told of it is the matter here.
    }
    context.emitState('agent', { from: 'idle', to: 'busy' });
    context.emitDebug('agent', { step: 1 });
    context.emit('agent.thought', {});
    return [...new Set(await types())].sort();
  };

  it('are timing alone by default; failures and other types are always told', async () => {
    expect(await run({})).toEqual(['agent.thought', 'tool.completed', 'tool.failed', 'tool.started']);
    expect(await run({ emitTimingEvents: false })).toEqual(['agent.thought', 'tool.failed']);
  });

  it('may be states and details', async () => {
    expect(await run({ emitTimingEvents: false, emitStateEvents: true })).toEqual([
      'agent.state',
      'agent.thought',
      'tool.failed',
      'tool.state',
    ]);
    expect(await run({ emitTimingEvents: false, emitDebugEvents: true })).toEqual([
      'agent.debug',
      'agent.thought',
      'tool.debug',
      'tool.failed',
    ]);
  });

  it('pass the filters: what is excluded is, whatever is included', async () => {
    expect(
      await run({ filtering: { includeTypes: ['tool.*', 'agent.*'], excludeTypes: ['*.started', '*.thought'] } }),
    ).toEqual(['tool.completed', 'tool.failed']);
  });
});

describe('data of the user', () => {
  it('is no part of events unless that is wished', async () => {
    for (const includeUserData of [false, true]) {
      const { registry, emitted } = await collecting({ includeUserData });
      const context = registry.createExecutionContext({
        userId: 'u-1',
        sessionId: 's-1',
        projectId: 'p-1',
        tags: ['t'],
      });
      context.wrapTool('search', (query: string) => [`${query}!`])('what I asked');
      const [started, completed] = await emitted();
      expect(started!.metadata).toEqual({
        projectId: 'p-1',
        tags: ['t'],
        ...(includeUserData ? { userId: 'u-1', sessionId: 's-1' } : {}),
      });
      expect(started!.payload['input']).toEqual(includeUserData ? ['what I asked'] : undefined);
      expect(completed!.payload['output']).toEqual(includeUserData ? ['what I asked!'] : undefined);
    }
  });

  it('is told as it was when the event happened', async () => {
    const { registry, emitted } = await collecting();
    const data = { list: [1] };
    registry.createExecutionContext().emit('a.b', data);
    data.list.push(2);
    expect((await emitted())[0]!.payload).toEqual({ list: [1] });
  });
});

/** Components must not notice that there are events at all. */
describe('a bus', () => {
  const wrong: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new TypeError('no');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('no'))],
    ['gives something strange', () => Object.create(null)],
  ];

  it.each(wrong)('that %s fails nobody', async (_what, publish) => {
    const reports: EventsReport[] = [];
    const registry = await ComponentRegistry.withEventBus(
      { publish },
      { enabled: true },
      {
        environment: {},
        onReport: (report) => {
          reports.push(report);
          throw new TypeError('a listener that fails');
        },
      },
    );
    expect(registry.createExecutionContext().wrapTool('search', () => 'found')()).toBe('found');
    await registry.flush();
    const { published, failed } = registry.status().counts!;
    expect([published + failed.publish, reports.length <= 1]).toEqual([2, true]);
    expect((await registry.close()).flushed).toBe(true);
  });

  it('gets what was called with, also where a key of it would be refused', async () => {
    const bus = new EventBus();
    const given: unknown[] = [];
    await bus.subscribe('tool.started', (event) => void given.push(event.payload['input']));
    const options = { environment: {} };
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true, includeUserData: true }, options);
    const tool = registry.createExecutionContext().wrapTool('search', (query: object) => query);
    tool(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":1}'));
    await registry.flush();
    await bus.settled();
    expect(given).toEqual([[{ '[__proto__]': { polluted: 1 }, constructor: { prototype: { polluted: 1 } }, a: 1 }]]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    await registry.close();
    await bus.close();
  });

  it('that is closed is told by the code of its error, and by no words of it', async () => {
    const reports: EventsReport[] = [];
    const bus = new EventBus();
    await bus.close();
    const options = { environment: {}, onReport: (report: EventsReport) => void reports.push(report) };
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, options);
    registry.createExecutionContext().wrapTool('search', () => 1)();
    await registry.flush();
    await registry.close();
    const text = 'The bus did not take an event of a component: closed.';
    expect(reports).toEqual([{ code: 'publish_failed', text }]);
  });

  it('that never answers fills the buffer, and then events are refused and counted', async () => {
    const reports: EventsReport[] = [];
    const registry = await ComponentRegistry.withEventBus(
      { publish: () => new Promise(() => {}) },
      { enabled: true, bufferSize: 500, shutdownTimeoutMs: 50 },
      {
        environment: {},
        onReport: (report) => void reports.push(report),
      },
    );
    const context = registry.createExecutionContext();
    const tool = context.wrapTool('search', (n: number) => n);
    for (let n = 0; n < 2_000; n++) {
      expect(tool(n)).toBe(n);
      if (n % 500 === 0) await new Promise((done) => setImmediate(done));
    }
    expect(registry.status().counts).toMatchObject({ accepted: 500, refused: { buffer: 3_500 }, queued: 500 });
    expect(reports).toEqual([{ code: 'events_refused', text: 'Events are refused: buffer_size events wait.' }]);
    expect(await registry.close()).toEqual({ flushed: false, lost: 244 });
  });

  it('is called outside of the component that emits', async () => {
    const seen: ComponentEvent[] = [];
    const bus = {
      publish(event: ComponentEvent) {
        seen.push(event);
        if (event.type === 'agent.thought') inner();
      },
    };
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
    const context = registry.createExecutionContext();
    const inner = context.wrapTool('inner', () => 1);
    const turn = () => new Promise<void>((done) => setImmediate(done));
    const outer = context.wrapAgent('outer', async () => {
      await turn();
      context.emit('agent.thought');
      await turn();
    });
    await outer();
    await until(() => seen.length === 5);
    const flowOf = (kind: string) => seen.find(({ type }) => type.startsWith(kind))?.correlationId;
    expect(flowOf('tool')).not.toBe(flowOf('agent'));
    expect(seen.find(({ type }) => type === 'tool.started')).not.toHaveProperty('causationId');
    await registry.close();
  });

  it('whose subscriber calls a component gets its events too, in a flow of their own', async () => {
    const bus = new EventBus();
    onTestFinished(() => bus.close());
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
    const context = registry.createExecutionContext();
    const inner = context.wrapTool('inner', () => 1);
    await bus.subscribe('agent.completed', () => void inner());
    const seen: { type: string; correlationId?: string | undefined }[] = [];
    await bus.subscribe('#', ({ type, correlationId }) => void seen.push({ type, correlationId }));
    context.wrapAgent('outer', () => 1)();
    await until(() => seen.length === 4);
    expect(new Set(seen.map(({ correlationId }) => correlationId)).size).toBe(2);
    await registry.close();
  });
});

describe('max_events_per_second', () => {
  it('is kept in every second, wherever it begins', () => {
    let nowMs = 1_000_000;
    const window = new RateWindow({ monotonicMs: () => nowMs, wallMs: () => 0 });
    window.limitTo(100);
    const takenAtMs: number[] = [];
    for (let step = 0; step < 20_000; step++) {
      nowMs += step % 7 === 0 ? 3.5 : 0.25;
      if (step % 5_000 === 0) nowMs += 2_500;
      if (window.takes()) takenAtMs.push(nowMs);
    }
    const worst = takenAtMs.map(
      (startMs) => takenAtMs.filter((atMs) => atMs >= startMs && atMs < startMs + 1_000).length,
    );
    expect(Math.max(...worst)).toBe(100);
    expect(takenAtMs.length).toBeGreaterThan(900);
  });

  it('refuses and counts, and blocks nobody', async () => {
    const { registry, emitted } = await collecting(
      { maxEventsPerSecond: 50 },
      { runtime: { ...systemRuntime, clock: { wallMs: () => 0, monotonicMs: () => 5 } }, onReport: () => {} },
    );
    const context = registry.createExecutionContext();
    const answers = Array.from({ length: 80 }, () => context.emit('a.b', {}));
    expect(answers.filter(Boolean).length).toBe(50);
    expect((await emitted()).length).toBe(50);
    expect(registry.status().counts).toMatchObject({ refused: { rate: 30, buffer: 0 } });
  });
});

describe('a queued event', () => {
  it('with long texts takes the room of several', async () => {
    const bus = { publish: () => new Promise(() => {}) };
    const config = { enabled: true, bufferSize: 1_000, shutdownTimeoutMs: 0, includeUserData: true };
    const registry = await ComponentRegistry.withEventBus(bus, config, { environment: {}, onReport: () => {} });
    const context = registry.createExecutionContext();
    for (let n = 0; n < 1_000; n++)
      context.emit('a.b', { text: `${n} ${'long text '.repeat(10_000)}`, list: Array(200).fill('more '.repeat(500)) });
    const { accepted, refused } = registry.status().counts!;
    // 16,384 characters and a little of each, where 2,048 is what one may take on the average.
    expect([accepted + refused.buffer, accepted > 80, accepted < 180]).toEqual([1_000, true, true]);
    await registry.close();
  });

  it('takes about 500 bytes, so that 10,000 take about 5 MB', async () => {
    const events = 10_000;
    const registry = await ComponentRegistry.withEventBus(
      { publish: () => new Promise(() => {}) },
      { enabled: true, bufferSize: 2 * events, shutdownTimeoutMs: 0 },
      { environment: {} },
    );
    const context = registry.createExecutionContext({ source: 'shop' });
    const tool = context.wrapTool('search', () => 1);
    // What grows once: the bus never answers, so 256 events stay with it.
    for (let n = 0; n < 500; n++) tool();
    await until(() => registry.status().counts!.queued === 1_000);
    await new Promise((done) => setImmediate(done));
    const before = retainedBytes();
    for (let n = 0; n < events / 2; n++) tool();
    const bytes = (retainedBytes() - before) / events;
    process.stdout.write(
      `${JSON.stringify({ queued: registry.status().counts!.queued, bytesEach: Math.round(bytes) })}\n`,
    );
    expect(bytes).toBeLessThan(500);
    await registry.close();
  });
});

/** Surroundings in which an interval of 45 s passes when the test says so. */
function ticking() {
  const ticks: (() => void)[] = [];
  const after: typeof systemRuntime.timers.after = (delayMs, call, keepsAlive) => {
    if (delayMs !== 45_000) return systemRuntime.timers.after(delayMs, call, keepsAlive);
    ticks.push(call);
    return () => {};
  };
  return { ticks, runtime: { ...systemRuntime, timers: { ...systemRuntime.timers, after } } };
}

describe('event.stats', () => {
  it('is a line of every file, whatever types are included, and no event of the bus', async () => {
    const { ticks, runtime } = ticking();
    const file = join(temporaryFolder(), 'events.log');
    const audit = join(temporaryFolder(), 'audit.log');
    const { registry, types } = await collecting(
      {
        statsIntervalMs: 45_000,
        filtering: { includeTypes: ['tool.*'] },
        export: { file, audit: { file: audit, includeTypes: ['security.*'] } },
      },
      { runtime },
    );
    registry.createExecutionContext().wrapTool('search', () => 1)();
    await registry.flush();
    for (const tick of ticks.splice(0)) tick();
    await registry.flush();
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as ComponentEvent).type)).toEqual([
      'tool.started',
      'tool.completed',
      'event.stats',
    ]);
    expect((JSON.parse(lines[2]!) as ComponentEvent).payload).toMatchObject({
      accepted: 2,
      published: 2,
      exported: 2,
      queued: 0,
      refused: { rate: 0, buffer: 0 },
    });
    expect([await types(), existsSync(audit), ticks.length]).toEqual([['tool.started', 'tool.completed'], false, 1]);
  });

  it('is not told where it is excluded', async () => {
    const { ticks, runtime } = ticking();
    const file = join(temporaryFolder(), 'events.log');
    const settings = { statsIntervalMs: 45_000, filtering: { excludeTypes: ['event.*'] }, export: { file } };
    const { registry } = await collecting(settings, { runtime });
    for (const tick of ticks.splice(0)) tick();
    await registry.flush();
    expect([existsSync(file), ticks.length]).toEqual([false, 1]);
  });
});

describe('a configuration that takes over', () => {
  it('lets what was accepted go where it was going, and then closes what nobody uses', async () => {
    const folder = temporaryFolder();
    const files = [0, 1].map((n) => join(folder, `${n}.log`));
    const settings = (n: number) => ({ export: { file: files[n % 2] }, statsIntervalMs: 0 });
    const { registry } = await collecting(settings(0));
    const context = registry.createExecutionContext();
    const switches = 200;
    for (let n = 0; n < switches; n++) {
      await registry.configure(settings(n));
      for (let event = 0; event < 5; event++) context.emit('a.b', { n });
    }
    await registry.disable();
    const numbers = files.map((file) =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { payload: { n: number } }).payload.n),
    );
    const expected = (rest: number) =>
      Array.from({ length: switches * 5 }, (_, at) => Math.floor(at / 5)).filter((n) => n % 2 === rest);
    expect(numbers).toEqual([expected(0), expected(1)]);
    expect(registry.status().counts).toMatchObject({ exported: switches * 5, exports: [] });
    const open = readdirSync('/proc/self/fd').flatMap((fd) => linkOf(`/proc/self/fd/${fd}`));
    expect(open.filter((path) => path.startsWith(folder))).toEqual([]);
  });

  it('writes an event once to a place that two exports name', async () => {
    const file = join(temporaryFolder(), 'events.log');
    const { registry } = await collecting({
      statsIntervalMs: 0,
      export: { file, audit: { file, includeTypes: ['security.*'] } },
    });
    const context = registry.createExecutionContext();
    context.emit('security.login');
    context.emit('a.b');
    await registry.flush();
    expect(readFileSync(file, 'utf8').trim().split('\n').length).toBe(2);
  });
});

/** A descriptor may be gone when it is looked at. */
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

describe('closing', () => {
  it('takes nothing more, and brings what waits where it belongs', async () => {
    const file = join(temporaryFolder(), 'events.log');
    const published: ComponentEvent[] = [];
    const bus = { publish: (event: ComponentEvent) => void published.push(event) };
    let closed = 0;
    const registry = await ComponentRegistry.withEventBus(
      () => Object.assign(bus, { close: () => void closed++ }),
      { enabled: true, export: { file } },
      { environment: {} },
    );
    const context = registry.createExecutionContext();
    for (let n = 0; n < 5_000; n++) context.emit('a.b', { n });
    const closing = registry.close();
    expect([context.emit('a.b', {}), registry.enabled]).toEqual([false, false]);
    expect(await closing).toEqual({ flushed: true, lost: 0 });
    // Whoever made the bus closes it: it was made for this registry.
    expect([published.length, readFileSync(file, 'utf8').trim().split('\n').length, closed]).toEqual([5_000, 5_000, 1]);
    await registry.enable();
    expect([registry.enabled, await registry.close()]).toEqual([false, { flushed: true, lost: 0 }]);
  });

  it('leaves a bus alone that was there before', async () => {
    let closed = 0;
    const registry = await ComponentRegistry.withEventBus(
      Object.assign({ publish: () => {} }, { close: () => void closed++ }),
      { enabled: true },
      { environment: {} },
    );
    await registry.close();
    expect(closed).toBe(0);
  });
});
