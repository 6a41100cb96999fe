import { CommandFailure } from '../exit-codes.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment to come, as the service takes it. */
export function readMoment(flag: string, given: string): string | number {
  if (/^\d{1,16}$/.test(given)) return Number(given);
  if (!Number.isNaN(Date.parse(given))) return given;
  throw new CommandFailure('wrongUse', `--${flag} is a time such as 2026-11-20T08:00:00Z`);
}

/** A wait: `90s`, `15m`, `2h`, `3d`, or milliseconds. */
export function readDelayMs(flag: string, given: string): number {
  const [, count, unit = 'ms'] = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(given) ?? [];
  if (count !== undefined) return Number(count) * UNITS_MS[unit]!;
  throw new CommandFailure('wrongUse', `--${flag} is a wait such as 90s, 15m, 2h, 3d, or milliseconds`);
}
