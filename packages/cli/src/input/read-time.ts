import { CommandFailure } from '../exit-codes.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as the service takes it: RFC 3339 and milliseconds pass as they are; `15m` is so long ago. */
export function readTime(flag: string, given: string, nowMs: number): string {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(given) ?? [];
  if (count !== undefined) return new Date(nowMs - Number(count) * UNITS_MS[unit!]!).toISOString();
  if (/^\d{1,16}$/.test(given) || !Number.isNaN(Date.parse(given))) return given;
  throw new CommandFailure(
    'wrongUse',
    `--${flag} is a time such as 2026-11-20T08:00:00Z, or 15m, 2h, 3d for so long ago`,
  );
}
