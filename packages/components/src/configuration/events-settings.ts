import type { EventsConfig } from './events-configuration.ts';
import { ConfigurationMistake, type Given, type GivenSettings, settingsIn } from './given.ts';
import { DEFAULT_PREFIX, type Environment, readEventsEnvironment } from './read-events-environment.ts';
import { readEventsFile, type Toml } from './read-events-file.ts';
import { type SettledEvents, settleEvents } from './settle-events.ts';

export interface SettingsOptions {
  /** What the program says; it beats everything else. */
  readonly config?: EventsConfig | undefined;
  /** A TOML file with a table `[events]`. */
  readonly file?: string | undefined;
  /** How variables begin; `EVENT_MANAGER_EVENTS_` when absent. */
  readonly environmentPrefix?: string | undefined;
  /** `process.env` when absent. */
  readonly environment?: Environment | undefined;
}

export interface ShadowedSetting {
  readonly name: string;
  readonly line: number | undefined;
  readonly beatenBy: string;
}

const CALL = { by: 'call', from: 'the call' } as const;

/** What call, environment and file say, in this order. */
export class EventsSettings {
  readonly #options: SettingsOptions;
  readonly #toml: Toml | undefined;
  #call: GivenSettings = new Map();
  #environment: GivenSettings = new Map();
  #file: GivenSettings = new Map();
  /** What the file said before, to tell what is new. */
  #known: GivenSettings | undefined;

  /** Throws an `EventManagerError`. */
  static async open(options: SettingsOptions): Promise<EventsSettings> {
    const settings = new EventsSettings(options, options.file === undefined ? undefined : await import('smol-toml'));
    try {
      settings.say(options.config ?? {});
      settings.read();
    } catch (error) {
      throw await settings.errorOf(error);
    }
    return settings;
  }

  private constructor(options: SettingsOptions, toml: Toml | undefined) {
    this.#options = options;
    this.#toml = toml;
  }

  /** Adds to what the program said; `undefined` takes back. Returns how to undo it. Throws `ConfigurationMistake`. */
  say(config: EventsConfig): () => void {
    const before = this.#call;
    const said = settingsIn(config as Readonly<Record<string, unknown>>, () => CALL);
    const call = new Map([...before, ...said]);
    for (const key of silenced(config as Readonly<Record<string, unknown>>)) call.delete(key);
    this.#call = call;
    return () => {
      this.#call = before;
    };
  }

  /** Reads environment and file anew. Returns how to undo it. Throws `ConfigurationMistake`, and then nothing was read. */
  read(): () => void {
    const { file, environment = process.env, environmentPrefix = DEFAULT_PREFIX } = this.#options;
    const before = [this.#environment, this.#file] as const;
    const found = readEventsEnvironment(environment, environmentPrefix);
    const inFile = this.#toml && file !== undefined ? readEventsFile(file, this.#toml) : this.#file;
    [this.#environment, this.#file] = [found, inFile];
    return () => {
      [this.#environment, this.#file] = before;
    };
  }

  settle(): SettledEvents {
    return settleEvents([this.#call, this.#environment, this.#file]);
  }

  /** What the file says anew without effect. At the start nothing is new. */
  shadowed(winners: ReadonlyMap<string, Given>): readonly ShadowedSetting[] {
    const known = this.#known;
    this.#known = this.#file;
    if (known === undefined || known === this.#file) return [];
    return [...this.#file].flatMap(([name, { value, line }]) => {
      const winner = winners.get(name);
      const isNews = JSON.stringify(known.get(name)?.value) !== JSON.stringify(value);
      return isNews && winner !== undefined && winner.by !== 'file' ? [{ name, line, beatenBy: winner.from }] : [];
    });
  }

  /** The class of errors is loaded for the error alone. */
  async errorOf(error: unknown): Promise<unknown> {
    if (!(error instanceof ConfigurationMistake)) return error;
    const { EventManagerError } = await import('@event-manager/core/portable');
    const { setting, from, line } = error;
    const place = { setting: setting === '' ? 'events' : `events.${setting}`, from };
    return new EventManagerError('invalid_setting', error.message, line === undefined ? place : { ...place, line });
  }
}

/** The settings that a program takes back. */
function silenced(config: Readonly<Record<string, unknown>>): string[] {
  const words = Object.entries(config).flatMap(([word, value]): [string, string][] => {
    if (value === undefined) return [[word, word]];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    return silenced(value as Readonly<Record<string, unknown>>).map((inner) => [word, `${word}.${inner}`]);
  });
  return words.map(([, key]) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}
