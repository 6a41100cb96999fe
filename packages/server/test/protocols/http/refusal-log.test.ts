import { Engine, EventManagerError, memory, systemRuntime } from '@event-manager/core';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Life } from '../../../src/life.ts';
import { httpServer } from '../../../src/protocols/http/http-server.ts';
import { configure } from '../../configure.ts';
import { contextOf } from '../../context-of.ts';
import { postJson, sample } from '../../running-service.ts';

it('tells of a state that refuses once, without a stack, and how often when it is over', async () => {
  const adapter = memory();
  const append = adapter.store.append.bind(adapter.store);
  let refusal: EventManagerError | undefined;
  adapter.store.append = (events) => (refusal ? Promise.reject(refusal) : append(events));
  const engine = await Engine.open({ adapter });
  const life = new Life();
  const lines: Record<string, unknown>[] = [];
  const http = httpServer({
    context: contextOf(engine, life),
    configuration: configure(),
    runtime: systemRuntime,
    logger: pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) }),
  });
  const url = await http.listen();
  lines.length = 0;
  const publish = async (count: number) => {
    for (let index = 0; index < count; index++) await postJson(`${url}/events`, sample());
  };
  await publish(2);
  life.enter('serving');
  refusal = new EventManagerError('disk_full', 'The disk is full.');
  await publish(3);
  refusal = undefined;
  await publish(2);
  life.enter('draining');
  await publish(1);
  await http.close();
  await engine.close();
  expect(lines).toEqual([
    { level: 40, code: 'not_ready', msg: 'refusing requests: The service is starting.' },
    { level: 40, code: 'not_ready', count: 2, msg: 'refused requests' },
    { level: 40, code: 'disk_full', msg: 'refusing requests: The disk is full.' },
    { level: 40, code: 'disk_full', count: 3, msg: 'refused requests' },
    { level: 40, code: 'not_ready', msg: 'refusing requests: The service is draining.' },
    { level: 40, code: 'not_ready', count: 1, msg: 'refused requests' },
  ]);
});
