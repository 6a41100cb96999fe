import { Engine, type EventBusAdapter, type Limits, systemRuntime } from '@event-manager/core';
import { pino } from 'pino';
import { Life } from '../src/life.ts';
import { httpServer } from '../src/protocols/http/http-server.ts';
import { configure } from './configure.ts';
import { contextOf } from './context-of.ts';

/** The protocols over an adapter of the test's own. Whoever asks closes both, the protocols first. */
export async function serveOver(adapter: EventBusAdapter, limits: Partial<Limits> = {}) {
  const engine = await Engine.open({ adapter, limits });
  const life = new Life();
  life.enter('serving');
  const logger = pino({ level: 'silent' });
  const context = contextOf(engine, life);
  const http = httpServer({ context, configuration: configure(), runtime: systemRuntime, logger });
  return { url: await http.listen(), http, engine };
}
