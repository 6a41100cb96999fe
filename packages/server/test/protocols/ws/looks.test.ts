import { Engine, memory, type Runtime, systemRuntime } from '@event-manager/core';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { Life } from '../../../src/life.ts';
import { httpServer } from '../../../src/protocols/http/http-server.ts';
import { configure } from '../../configure.ts';
import { contextOf } from '../../context-of.ts';
import { frameBytes, RawSocket } from './raw-socket.ts';
import { WsClient } from './ws-client.ts';

const STALL_MS = 20_000;
const LOOK_MS = 1_000;
const HOUR_MS = 3_600_000;
const COUNT = 400;
const EVENT_BYTES = 30_000;

it('counts no time against anybody in which the process stood still', async () => {
  let standstillMs = 0;
  let looks = 0;
  const { clock, timers } = systemRuntime;
  const runtime: Runtime = {
    ...systemRuntime,
    clock: { wallMs: () => clock.wallMs(), monotonicMs: () => clock.monotonicMs() + standstillMs },
    timers: {
      after(delayMs, run) {
        if (delayMs === LOOK_MS) looks++;
        return timers.after(delayMs, run);
      },
      soon: (run) => timers.soon(run),
    },
  };
  const engine = await Engine.open({ adapter: memory() });
  const life = new Life();
  life.enter('serving');
  const http = httpServer({
    ...{ context: contextOf(engine, life), configuration: configure({ wsStallMs: STALL_MS }) },
    ...{ runtime, logger: pino({ level: 'silent' }) },
  });
  const url = await http.listen();
  onTestFinished(async () => {
    await http.close();
    await engine.close();
  });
  const publisher = await WsClient.open(url);
  const raw = await RawSocket.open(url);
  raw.write(frameBytes('{"type":"stream","ref":1}'));
  await raw.until(() => raw.received.includes('streaming'));
  raw.socket.pause();
  const event = { type: 'a', source: 's', payload: { padding: 'x'.repeat(EVENT_BYTES) } };
  // More than the kernel takes for a reader that does not read.
  for (let count = 0; count < COUNT; count += 10)
    await publisher.ask({ type: 'publish', events: Array(10).fill(event) });
  standstillMs += HOUR_MS;
  const before = looks;
  while (looks < before + 2) await new Promise((resolve) => setImmediate(resolve));
  raw.socket.resume();
  await raw.until(() => raw.closed || raw.received.length > COUNT * EVENT_BYTES);
  expect(raw.closed).toBe(false);
});
