import { LIMIT_SETTINGS } from './limit-settings.ts';
import type { Setting, SettingRow } from './setting.ts';
import { SETTINGS } from './settings.ts';
import { UNUSED_SETTINGS, type UnusedSetting } from './unused-settings.ts';

export type NamedSetting = { readonly name: string } & (
  | ({ readonly use: 'setting' } & Setting<unknown>)
  | ({ readonly use: 'limit' } & Setting<number>)
  | ({ readonly use: 'none' } & UnusedSetting)
);

/** The one table: every row that can be given, by its name; those of a limit have the prefix `limits.`. */
export const EVERY_SETTING: ReadonlyMap<string, NamedSetting> = new Map([
  ...rows('setting', SETTINGS as Readonly<Record<string, Setting<unknown>>>),
  ...rows('limit', LIMIT_SETTINGS, 'limits.'),
  ...rows('none', UNUSED_SETTINGS as Readonly<Record<string, UnusedSetting>>),
]);

/** Names in a file, without the tables they may stand in, and the settings they mean. */
export const FILE_NAMES: ReadonlyMap<string, string> = new Map(
  [...EVERY_SETTING.values()].flatMap((row) => {
    const plain = row.name.replace('limits.', '');
    return [plain, ...(row.spellings ?? [])].map((spelling) => [spelling, row.name] as const);
  }),
);

function rows(
  use: string,
  table: Readonly<Record<string, SettingRow<unknown>>>,
  prefix = '',
): [string, NamedSetting][] {
  return Object.entries(table).map(([key, row]) => {
    const name = `${prefix}${key}`;
    return [name, { ...row, name, use } as NamedSetting];
  });
}
