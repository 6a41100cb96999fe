import { DEFAULT_LIMITS, type Limits } from '@event-manager/core';
import { type Setting, setting, wholeNumber } from './setting.ts';

const GIB = 1024 ** 3;

/** Above these a limit protects nothing, or the formats beneath cannot hold the value. */
const CEILINGS: Partial<Limits> = {
  eventBytesMax: 16 * 1024 * 1024,
  depthMax: 500,
  topicCharactersMax: 500,
  nameCharactersMax: 255,
  inFlightMax: 100_000,
  schemaBytesMax: 1024 * 1024,
};

/** Read wherever they are used, and of no consequence for what was accepted before. */
const LIVE: ReadonlySet<string> = new Set<keyof Limits>([
  'batchEventsMax',
  'contextEntriesMax',
  'contextsMax',
  'filterCharactersMax',
  'filterEntriesMax',
  'publishWaitingBytesMax',
  'publishWaitingMax',
  'subscriptionsCharactersMax',
  'subscriptionsMax',
  'tagsMax',
]);

/** The limits of core, each a setting of the same name; their defaults and reasons stand beside them in core. */
export const LIMIT_SETTINGS: { readonly [Name in keyof Limits]: Setting<number> } = Object.fromEntries(
  Object.entries(DEFAULT_LIMITS).map(([name, fallback]) => [
    name,
    setting({
      variable: `EVENT_MANAGER_${toUpperSnakeCase(name)}`,
      reader: wholeNumber(1, CEILINGS[name as keyof Limits] ?? GIB),
      fallback,
      ...(LIVE.has(name) ? { live: true as const } : {}),
      reason: 'A limit of core (`limits.ts` there says why).',
    }),
  ]),
) as never;

function toUpperSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
