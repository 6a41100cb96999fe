/**
 * Events on and off, while the program runs.
 *
 *     off ── configure, reload, file ──▶ loading ──▶ on ◀── another configuration ──┐
 *      ▲                                    │         │ ─────────────────────────────┘
 *      └── off, or closed ──────────────────┴─────────┘
 *
 * `events` is what every wrapped component looks at, and there is no second flag: when it is absent, nothing of the system is
 * executed. It changes in the same turn in which a configuration was found to be right, so an event is emitted or not, and never
 * half. Only the first switching on takes time, in which modules are loaded; a word that comes meanwhile wins, whatever it
 * says. A configuration that is wrong changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ComponentBus, ComponentEvents, EventsReport } from './component-events.ts';
import type { CloseAnswer } from './component-registry.ts';
import { EventsSettings, type SettingsOptions } from './configuration/events-settings.ts';
import type { Given } from './configuration/given.ts';
import type { SettledEvents } from './configuration/settle-events.ts';
import { tellByWarning } from './report.ts';
import type { EventSystem, SystemOptions } from './system/event-system.ts';

export interface SwitchOptions extends SettingsOptions, Pick<SystemOptions, 'runtime' | 'resolve' | 'stdout'> {
  readonly bus?: ComponentBus | (() => ComponentBus | Promise<ComponentBus>) | undefined;
  /** The file is watched, and a change is in force at once. */
  readonly watch?: boolean | undefined;
  /** At these signals everything is closed, and then the process ends by the signal unless the program takes it too. */
  readonly closeOn?: readonly NodeJS.Signals[] | undefined;
  /** Gets what goes wrong with events. By default it becomes a warning of the process. */
  readonly onReport?: ((report: EventsReport) => void) | undefined;
}

/** Complete by its type: an option that is missing here does not compile. */
const OPTIONS: { readonly [Name in keyof Required<SwitchOptions>]: true } = {
  config: true,
  file: true,
  environmentPrefix: true,
  environment: true,
  runtime: true,
  resolve: true,
  stdout: true,
  bus: true,
  watch: true,
  closeOn: true,
  onReport: true,
};

export interface EventsStatus {
  readonly enabled: boolean;
  /** Every setting that somebody gave, and who won. */
  readonly settings: readonly { readonly name: string; readonly by: Given['by']; readonly from: string }[];
  readonly counts?: ReturnType<EventSystem['counts']>;
}

export class EventsSwitch {
  /** Absent while events are off. */
  events: ComponentEvents | undefined;
  readonly #options: SwitchOptions;
  readonly #settings: EventsSettings;
  readonly #report: (report: EventsReport) => void;
  #system: EventSystem | undefined;
  #loading: Promise<EventSystem> | undefined;
  #settled: SettledEvents | undefined;
  /** Grows with each word, so that an older one that took its time is told. */
  #word = 0;
  #closing: Promise<CloseAnswer> | undefined;
  readonly #release: (() => unknown)[] = [];

  static async open(options: SwitchOptions): Promise<EventsSwitch> {
    assertMeant(options);
    const made = new EventsSwitch(options, await EventsSettings.open(options));
    await made.#apply();
    await made.#watch();
    return made;
  }

  private constructor(options: SwitchOptions, settings: EventsSettings) {
    this.#options = options;
    this.#settings = settings;
    const { onReport = tellByWarning } = options;
    this.#report = (report) => {
      try {
        onReport(report);
      } catch {
        // Whoever hears of a failure must not make another one of it.
      }
    };
  }

  async configure(config: NonNullable<SwitchOptions['config']>): Promise<void> {
    await this.#apply(() => this.#settings.say(config));
  }

  async reload(): Promise<void> {
    await this.#apply(() => this.#settings.read());
  }

  async flush(): Promise<void> {
    await this.#system?.flush();
  }

  async flushInTime(): Promise<void> {
    await this.#system?.flushInTime();
  }

  status(): EventsStatus {
    const settings = [...(this.#settled?.winners ?? [])].map(([name, { by, from }]) => ({ name, by, from }));
    const counts = this.#system?.counts();
    return { enabled: this.events !== undefined, settings, ...(counts ? { counts } : {}) };
  }

  close(): Promise<CloseAnswer> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What `change` did to the settings is taken back when the configuration turns out to be wrong. */
  async #apply(change: () => () => void = () => () => {}): Promise<void> {
    const word = ++this.#word;
    const isOutdated = () => word !== this.#word || this.#closing !== undefined;
    if (this.#closing) return;
    let undo = () => {};
    try {
      undo = change();
      const settled = this.#settings.settle();
      const { configuration } = settled;
      const isSame = isDeepStrictEqual(configuration, this.#settled?.configuration);
      if (isSame && configuration.enabled === (this.events !== undefined)) {
        // Only who says it may be another; a folder that is watched tells of more than changes.
      } else if (configuration.enabled) {
        const system = this.#system ?? (await this.#load());
        if (isOutdated()) return;
        const preparing = system.prepare(configuration);
        if (preparing) await preparing;
        if (isOutdated()) return;
        this.events = system.apply(settled);
      } else {
        this.events = undefined;
        this.#system?.stop();
      }
      this.#tellShadowed(settled);
      this.#settled = settled;
    } catch (error) {
      if (!isOutdated()) undo();
      throw await this.#settings.errorOf(error);
    }
  }

  #load(): Promise<EventSystem> {
    this.#loading ??= this.#loadSystem().catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #loadSystem(): Promise<EventSystem> {
    const { bus: given, runtime, resolve, stdout, closeOn } = this.#options;
    const { EventSystem } = await import('./system/event-system.ts');
    const bus = typeof given === 'function' ? await given() : given;
    const system = new EventSystem({ bus, runtime, resolve, stdout, report: this.#report });
    if (typeof given === 'function') this.#release.push(() => closeBus(bus));
    for (const signal of closeOn ?? []) this.#release.push(this.#closeAt(signal));
    this.#system = system;
    return system;
  }

  async #watch(): Promise<void> {
    const { file, watch } = this.#options;
    if (file === undefined || watch !== true) return;
    const { watchEventsFile } = await import('./configuration/watch-events-file.ts');
    const refused = (error: unknown) => {
      const text = `The configuration of events stays as it was: ${(error as Error).message}`;
      this.#report({ code: 'configuration_refused', text });
    };
    this.#release.push(await watchEventsFile(file, () => void this.reload().catch(refused), refused));
  }

  /** The four steps: nothing is accepted any more; what waits is flushed; exports and what serves are closed; the rest is released. */
  async #close(): Promise<CloseAnswer> {
    this.events = undefined;
    const answer = (await this.#system?.close()) ?? { flushed: true, lost: 0 };
    for (const release of this.#release.splice(0)) {
      try {
        await release();
      } catch (error) {
        this.#report({ code: 'closing_incomplete', text: `Events could not be closed: ${(error as Error).message}` });
      }
    }
    return answer;
  }

  /** A signal that nobody else takes has to end the process, as it would have done without us. */
  #closeAt(signal: NodeJS.Signals): () => void {
    const close = () => {
      // Asked before the others are called: one that listens once is gone afterwards.
      const isTaken = process.listenerCount(signal) > 0;
      void this.close().then(() => {
        if (!isTaken) process.kill(process.pid, signal);
      });
    };
    process.prependOnceListener(signal, close);
    return () => process.removeListener(signal, close);
  }

  /** What the file says anew to nobody, because something stronger says it too. */
  #tellShadowed(settled: SettledEvents): void {
    for (const { name, line, beatenBy } of this.#settings.shadowed(settled.winners)) {
      const place = line === undefined ? '' : `, line ${line}`;
      const text = `The setting events.${name} (${this.#options.file}${place}) has no effect: ${beatenBy} says it too.`;
      this.#report({ code: 'setting_shadowed', text });
    }
  }
}

async function closeBus(bus: unknown): Promise<void> {
  await (bus as { close?(): unknown } | undefined)?.close?.();
}

/** `{ wacth: true }` would be a file that nobody watches. What core has for this is not loaded while events are off. */
function assertMeant(options: SwitchOptions): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) {
    const known = Object.keys(OPTIONS).join(', ');
    throw new TypeError(`ComponentRegistry has no option ${JSON.stringify(unknown)}; it has ${known}.`);
  }
  const { bus } = options;
  if (bus === undefined || typeof bus === 'function' || typeof bus?.publish === 'function') return;
  throw new TypeError('A bus has a function publish(event), or is a function that makes one.');
}
