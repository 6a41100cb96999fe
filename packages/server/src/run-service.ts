/**
 * The program: reads its settings, serves until it is told to stop. Logs are JSON lines on stdout; words for people go to stderr.
 *
 * SIGTERM and SIGINT end it in order; a second one at once. SIGHUP means two things: somebody wants the configuration to be
 * read again, or the terminal it was started from is gone. Then stdin, which was a terminal, is one no longer.
 */
import { isatty } from 'node:tty';
import { isEventManagerError, systemRuntime } from '@event-manager/core';
import type { Logger } from 'pino';
import { ConfigurationReload } from './configuration/configuration-reload.ts';
import { namesakes } from './configuration/namesakes.ts';
import {
  type SettledConfiguration,
  type Surroundings,
  settleConfiguration,
} from './configuration/read-configuration.ts';
import type { Configuration } from './configuration/settings.ts';
import { watchFile } from './configuration/watch-file.ts';
import { type Service, startService } from './service.ts';
import { serviceLogger } from './service-logger.ts';
import { startFailure } from './start-failure.ts';
import { asksForUsage, usage } from './usage.ts';
import { welcome } from './welcome.ts';

/** Exit codes; those of the command line are the same (docs/cli.md). A restart by a supervisor mends no wrong setting. */
const FAILED = 1;
const WRONG_SETTING = 2;
const STDIN = 0;
/** A terminal and the program between may both pass one Ctrl-C on; what comes so soon after it is the same wish. */
const SAME_SIGNAL_MS = 500;

/** Serves until a signal ends the process. What is wrong with the start is said on stderr; then the process ends with 1, or with 2 when a setting is wrong. */
export async function runService(surroundings: Surroundings): Promise<void> {
  try {
    if (asksForUsage(surroundings.args)) process.stdout.write(usage());
    else await serve(surroundings);
  } catch (error) {
    fail(error);
  }
}

async function serve(surroundings: Surroundings): Promise<void> {
  const settled = settleConfiguration(surroundings);
  const { configuration, warnings } = settled;
  const logger = serviceLogger(configuration.logLevel);
  for (const words of namesakes(settled)) logger.info(words);
  const service = await startService({ configuration, logger, warnings }).catch((error: unknown) =>
    fail(error, configuration),
  );
  process.stderr.write(welcome(service, configuration));
  const stop = stopOnSignal(service);
  reloadOnChange({ surroundings, settled, logger, service, stop });
}

/** The first signal ends it in order; a later one means that somebody does not want to wait. */
function stopOnSignal(service: Service): () => void {
  const { clock } = systemRuntime;
  let stoppingSinceMs: number | undefined;
  const stop = () => {
    if (stoppingSinceMs !== undefined) {
      if (clock.monotonicMs() - stoppingSinceMs > SAME_SIGNAL_MS) process.exit(FAILED);
      return;
    }
    stoppingSinceMs = clock.monotonicMs();
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stop;
}

function reloadOnChange(parts: {
  readonly surroundings: Surroundings;
  readonly settled: SettledConfiguration;
  readonly logger: Logger;
  readonly service: Service;
  readonly stop: () => void;
}): void {
  const { surroundings, settled, logger, service, stop } = parts;
  const apply = service.reconfigure.bind(service);
  const reload = new ConfigurationReload({ surroundings, settled, logger, apply });
  const wasTerminal = isatty(STDIN);
  process.on('SIGHUP', () => (wasTerminal && !isatty(STDIN) ? stop() : reload.run()));
  const path = settled.configuration.config;
  if (path === undefined) return;
  watchFile({
    path,
    timers: systemRuntime.timers,
    onChange: () => reload.run(),
    onFailure: (err) => logger.warn({ err }, 'the configuration file is not watched; SIGHUP reads it again'),
  });
  reload.catchUp();
}

function fail(error: unknown, configuration?: Configuration): never {
  process.stderr.write(`event-manager: ${startFailure(error, configuration)}\n`);
  process.exit(isEventManagerError(error, 'invalid_setting') ? WRONG_SETTING : FAILED);
}
