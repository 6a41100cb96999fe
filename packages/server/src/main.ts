/** The program: reads its settings, serves until it is told to stop. Logs are JSON lines on stdout; words for people go to stderr. */
import { homedir } from 'node:os';
import { systemRuntime } from '@event-manager/core';
import { pino } from 'pino';
import { readConfiguration } from './configuration/read-configuration.ts';
import { type Service, startService } from './service.ts';
import { startFailure } from './start-failure.ts';
import { asksForUsage, usage } from './usage.ts';
import { welcome } from './welcome.ts';

const surroundings = { args: process.argv.slice(2), environment: process.env, homeDirectory: homedir() };

async function start(): Promise<Service> {
  const configuration = readConfiguration(surroundings);
  const logger = pino({ level: configuration.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const service = await startService({ configuration, logger });
  process.stderr.write(welcome(service, configuration));
  return service;
}

/** A terminal and the program between may both pass one Ctrl-C on; what comes so soon after it is the same wish. */
const SAME_SIGNAL_MS = 500;

/** The first signal ends it in order; a later one means that somebody does not want to wait. */
function stopOnSignal(service: Service): void {
  const { clock } = systemRuntime;
  let stoppingSinceMs: number | undefined;
  const stop = () => {
    if (stoppingSinceMs !== undefined) {
      if (clock.monotonicMs() - stoppingSinceMs > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppingSinceMs = clock.monotonicMs();
    service.stop().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function fail(error: unknown): never {
  process.stderr.write(`event-manager: ${startFailure(error)}\n`);
  process.exit(1);
}

try {
  if (asksForUsage(surroundings.args)) process.stdout.write(usage());
  else stopOnSignal(await start());
} catch (error) {
  fail(error);
}
