import { isDeepStrictEqual } from 'node:util';
import { isEventManagerError } from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';
import {
  type SettledConfiguration,
  type SettledSetting,
  type Surroundings,
  settleConfiguration,
} from './read-configuration.ts';
import type { Reconfiguration } from './reconfigure.ts';
import type { Configuration } from './settings.ts';

export interface ReloadOptions {
  readonly surroundings: Surroundings;
  readonly settled: SettledConfiguration;
  readonly logger: Pick<FastifyBaseLogger, 'info' | 'error'>;
  /** Throws `invalid_setting` with nothing changed. */
  apply(configuration: Configuration): Reconfiguration;
}

/**
 * Reads the configuration again and tells what became of it. All of it is read and checked before anything changes: with a
 * mistake in the file everything stays as it was.
 */
export class ConfigurationReload {
  readonly #options: ReloadOptions;
  #settled: SettledConfiguration;

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#settled = options.settled;
  }

  /** The same, silent when nothing changed since the start: for what happened before somebody watched. */
  catchUp(): void {
    const isNews = () => {
      try {
        const { configuration } = settleConfiguration(this.#options.surroundings);
        return !isDeepStrictEqual(configuration, this.#settled.configuration);
      } catch {
        return true;
      }
    };
    if (isNews()) this.run();
  }

  run(): void {
    const { surroundings, logger, apply } = this.#options;
    try {
      const next = settleConfiguration(surroundings);
      const { inForce, waiting } = apply(next.configuration);
      const kept = keptBack(this.#settled, next);
      this.#settled = next;
      logger.info({ inForce, waiting, kept }, told({ inForce, waiting }, kept));
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      const { setting, from } = error.details;
      logger.error({ setting, from }, `The configuration stays as it was: ${error.message}`);
    }
  }
}

/** What the file says anew to nobody, because something stronger says it too. */
function keptBack(before: SettledConfiguration, after: SettledConfiguration): readonly string[] {
  return [...after.settings].flatMap(([name, setting]) => {
    const isNews = fileValue(before.settings.get(name)) !== fileValue(setting);
    return isNews && setting.kind !== 'file' && setting.kind !== 'default' ? [`${name} (${setting.from})`] : [];
  });
}

/** As text: `undefined` when the file does not say it. */
function fileValue(setting: SettledSetting | undefined): string | undefined {
  if (setting?.kind === 'file') return JSON.stringify(setting.value);
  return JSON.stringify(setting?.beaten.find(({ kind }) => kind === 'file')?.value);
}

function told({ inForce, waiting }: Reconfiguration, kept: readonly string[]): string {
  const parts = [
    ['in force', inForce],
    ['waiting for a restart', waiting],
    ['kept as it was by something stronger', kept],
  ] as const;
  const words = parts.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${names.join(', ')}`);
  return `configuration read again; ${words.length === 0 ? 'nothing changed' : words.join('; ')}`;
}
