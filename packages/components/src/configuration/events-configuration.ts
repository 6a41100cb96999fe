/** What is in force, with every default filled in. */
export interface EventsConfiguration {
  readonly enabled: boolean;
  readonly bufferSize: number;
  /** 0: no limit. */
  readonly maxEventsPerSecond: number;
  readonly emitTimingEvents: boolean;
  readonly emitStateEvents: boolean;
  readonly emitDebugEvents: boolean;
  readonly includeUserData: boolean;
  /** 0: never. */
  readonly statsIntervalMs: number;
  readonly shutdownTimeoutMs: number;
  readonly filtering: TypeFiltering;
  readonly health: { readonly enabled: boolean; readonly host: string; readonly port: number };
  /** The one of `[events.export]` first, if it leads anywhere, then those with names. */
  readonly exports: readonly ExportConfiguration[];
}

export interface TypeFiltering {
  /** Empty: every type. */
  readonly includeTypes: readonly string[];
  readonly excludeTypes: readonly string[];
}

export interface ExportConfiguration extends TypeFiltering {
  /** Empty for that of `[events.export]` itself. */
  readonly name: string;
  readonly stdout: boolean;
  readonly prettyJson: boolean;
  readonly file: string | undefined;
  readonly fileMaxBytes: number;
  /** 0: never rotated because of its age. */
  readonly fileMaxAgeMs: number;
  readonly fileKeep: number;
  readonly webhook: string | undefined;
  readonly webhookSecret: string | undefined;
  readonly webhookAllow: readonly string[];
  readonly webhookBatchSize: number;
  readonly webhookMaxRetries: number;
}

type Words<Settings> = { readonly [Name in keyof Settings]?: Settings[Name] | undefined };
type ExportWords = Words<Omit<ExportConfiguration, 'name'>>;

/**
 * What a program says of its events, in the words of the file. `undefined` says nothing, so that what is weaker (environment,
 * file, default) is in force. An export that is itself a table has a name and filters of its own.
 */
export interface EventsConfig extends Words<Omit<EventsConfiguration, 'filtering' | 'health' | 'exports'>> {
  readonly filtering?: Words<TypeFiltering> | undefined;
  readonly health?: Words<EventsConfiguration['health']> | undefined;
  readonly export?:
    | (ExportWords & { readonly [name: string]: ExportWords | ExportWords[keyof ExportWords] })
    | undefined;
}
