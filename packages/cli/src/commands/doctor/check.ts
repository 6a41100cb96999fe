import type { Runtime } from '@event-manager/core/portable';
import type { Configuration } from '@event-manager/server/configuration';

/** What was looked at, what was found, and what to do about it. */
export interface Finding {
  readonly check: 'node' | 'settings' | 'data directory' | 'database' | 'redis' | 'port' | 'service' | 'clock';
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  readonly advice?: string;
}

/** What the checks know; the settings are there when they could be read. */
export interface Patient {
  readonly configuration: Configuration;
  /** A service answers where these settings put it. */
  readonly isServing: boolean;
  readonly runtime: Runtime;
}
