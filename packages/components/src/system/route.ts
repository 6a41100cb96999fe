import { EventManagerError, isEventManagerError } from '@event-manager/core';
import type { EventsConfiguration, ExportConfiguration } from '../configuration/events-configuration.ts';
import type { Given } from '../configuration/given.ts';
import type { Export } from '../export/export.ts';
import type { ExportPool } from '../export/export-pool.ts';
import { typeFilter } from './type-filter.ts';

interface Branch {
  readonly to: readonly Export[];
  readonly wants: (type: string) => boolean;
}

export const STATS = 'event.stats';

/** Where events go under one configuration, and which of them. */
export class Route {
  readonly configuration: EventsConfiguration;
  readonly #isWanted: (type: string) => boolean;
  readonly #isExcluded: (type: string) => boolean;
  readonly #branches: Branch[] = [];
  readonly #pool: ExportPool;

  /** Throws `invalid_setting` with nothing opened. */
  constructor(configuration: EventsConfiguration, winners: ReadonlyMap<string, Given>, pool: ExportPool) {
    const { filtering } = configuration;
    const named = <T>(key: string, make: () => T): T => namingSetting(key, winners, make);
    this.configuration = configuration;
    this.#pool = pool;
    this.#isWanted = named('filtering.include_types', () => typeFilter(filtering));
    this.#isExcluded = typeFilter({ includeTypes: filtering.excludeTypes, excludeTypes: [] });
    try {
      for (const settings of configuration.exports) this.#branches.push(this.#branch(settings, named));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  wants(type: string): boolean {
    return this.#isOfClass(type) && this.#isWanted(type);
  }

  /** The exports that get an event of this type. What tells of the system itself passes unless it is excluded. */
  exportsOf(type: string): readonly Export[] {
    if (this.#branches.length === 0) return [];
    if (type === STATS && this.configuration.filtering.excludeTypes.length > 0 && this.#isExcluded(type)) return [];
    // Two that lead to one place are one to an event that both let through.
    const wanted = this.#branches.flatMap(({ to, wants }) => (wants(type) ? to : []));
    return wanted.length < 2 ? wanted : [...new Set(wanted)];
  }

  /** Called when its last event has left. */
  end(): void {
    for (const { to } of this.#branches) for (const some of to) this.#pool.release(some);
  }

  #isOfClass(type: string): boolean {
    const { emitTimingEvents, emitStateEvents, emitDebugEvents } = this.configuration;
    if (type.endsWith('.started') || type.endsWith('.completed')) return emitTimingEvents;
    if (type.endsWith('.state')) return emitStateEvents;
    return type.endsWith('.debug') ? emitDebugEvents : true;
  }

  #branch(settings: ExportConfiguration, named: <T>(key: string, make: () => T) => T): Branch {
    const prefix = settings.name === '' ? 'export.' : `export.${settings.name}.`;
    const wants = named(`${prefix}include_types`, () => typeFilter(settings));
    const { webhookSecret } = settings;
    if (webhookSecret !== undefined) named(`${prefix}webhook_secret`, () => this.#pool.assertSecret(webhookSecret));
    return { wants, to: named(`${prefix}webhook`, () => this.#pool.take(settings)) };
  }
}

/** What the engine or the guard refuses was said by a setting, which the one who reads the error can change. */
function namingSetting<T>(key: string, winners: ReadonlyMap<string, Given>, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    const { from = 'default', line } = winners.get(key) ?? {};
    const place = line === undefined ? from : `${from}, line ${line}`;
    const words = `The setting events.${key} (${place}) cannot be used: ${error.message}`;
    const details = { setting: `events.${key}`, from, ...(line === undefined ? {} : { line }), reason: error.code };
    throw new EventManagerError('invalid_setting', words, details, error);
  }
}
