import { isDeepStrictEqual } from 'node:util';
import { EVERY_SETTING } from './every-setting.ts';
import type { Configuration } from './settings.ts';

/** Names of settings whose values changed. */
export interface Reconfiguration {
  readonly inForce: readonly string[];
  /** What was copied at the start: the change is in force after a restart. */
  readonly waiting: readonly string[];
}

/**
 * Writes the live settings of `next` into the configuration that a running service reads from. Nobody else writes there: it
 * is one object for the whole service, so that whoever reads a live setting where it is used needs no other news.
 */
export function reconfigure(running: Configuration, next: Configuration): Reconfiguration {
  const inForce: string[] = [];
  const waiting: string[] = [];
  for (const { name, ...row } of EVERY_SETTING.values()) {
    if (row.use === 'none') continue;
    const [before, key] = placeOf(running, name, row.use);
    const [after] = placeOf(next, name, row.use);
    if (isDeepStrictEqual(before[key], after[key])) continue;
    if (row.live) before[key] = after[key];
    (row.live ? inForce : waiting).push(name);
  }
  return { inForce, waiting };
}

type Values = Record<string, unknown>;

function placeOf(configuration: Configuration, name: string, use: 'setting' | 'limit'): [Values, string] {
  const values = use === 'limit' ? configuration.limits : configuration;
  return [values as unknown as Values, use === 'limit' ? name.slice('limits.'.length) : name];
}
