import { ComponentRegistry } from '@event-manager/components';
import { retainedBytes } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { collecting } from './collecting.ts';

const SWITCHES = 10_000;
const BYTES_MAX = 2 * 1024 * 1024;

/** While components run all the time, some of them slowly: what began while events were on is told, as far as they are on. */
it(`loses nothing while on and emits nothing while off, over ${SWITCHES} switches under load`, {
  timeout: 120_000,
}, async () => {
  const got = new Set<number>();
  const bus = {
    publish(event: { type: string; payload: Readonly<Record<string, unknown>> }) {
      got.add(event.payload['n'] as number);
      // Every third event is answered later, so that the queue is never empty when events are switched.
      return (event.payload['n'] as number) % 3 === 0 ? new Promise<void>((done) => setImmediate(done)) : undefined;
    },
  };
  const registry = await ComponentRegistry.withEventBus(
    bus,
    { enabled: true, bufferSize: 1_000_000 },
    { environment: {} },
  );
  const context = registry.createExecutionContext();
  const expected = new Set<number>();
  let n = 0;
  const emit = () => {
    n++;
    if (registry.enabled) expected.add(n);
    expect(context.emit('load.tick', { n })).toBe(registry.enabled);
  };
  const slow = context.wrapTool('slow', async () => {
    await null;
    emit();
  });
  const under = [];
  let bytesBefore = 0;
  for (let round = 0; round < SWITCHES; round++) {
    if (round === SWITCHES / 10) {
      await registry.flush();
      got.clear();
      expected.clear();
      bytesBefore = retainedBytes();
    }
    const switching = registry.configure({ enabled: round % 2 === 1 });
    // In force in this very turn.
    expect(registry.enabled).toBe(round % 2 === 1);
    emit();
    under.push(slow());
    if (round % 50 === 0) {
      await switching;
      await Promise.all(under.splice(0));
      await new Promise((done) => setImmediate(done));
    } else {
      emit();
    }
  }
  await Promise.all(under);
  await registry.configure({ enabled: false });
  await registry.flush();
  got.delete(undefined as never);
  expect(got).toEqual(expected);
  expect(expected.size).toBeGreaterThan(SWITCHES / 2);
  const { counts } = registry.status();
  expect(counts).toMatchObject({
    queued: 0,
    lost: 0,
    refused: { rate: 0, buffer: 0 },
    failed: { publish: 0, internal: 0 },
  });
  got.clear();
  expected.clear();
  const keptBytes = retainedBytes() - bytesBefore;
  process.stdout.write(
    `${JSON.stringify({ switches: SWITCHES, emitted: counts!.accepted, keptKiB: Math.round(keptBytes / 1024) })}\n`,
  );
  expect(keptBytes).toBeLessThan(BYTES_MAX);
  await registry.close();
});

it('hears the last word, also of those that were said while the system was loading', async () => {
  const { registry, types } = await collecting({ enabled: undefined });
  const words = [
    registry.enable(),
    registry.configure({ enabled: false }),
    registry.enable(),
    registry.configure({ enabled: false }),
  ];
  await Promise.all(words);
  expect(registry.enabled).toBe(false);
  await Promise.all([registry.configure({ enabled: false }), registry.enable()]);
  expect(registry.enabled).toBe(true);
  registry.createExecutionContext().wrapTool('search', () => 1)();
  expect(await types()).toEqual(['tool.started', 'tool.completed']);
});
