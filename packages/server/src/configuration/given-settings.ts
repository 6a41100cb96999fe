import { EventManagerError } from '@event-manager/core';

/** One value as it was given, and where: the words go into the error when it cannot be read. */
export interface Given {
  readonly value: unknown;
  readonly from: string;
}

/** What one source says, by the names of settings; those of a limit have the prefix `limits.`. */
export type GivenSettings = ReadonlyMap<string, Given>;

export function invalidSetting(name: string, from: string, words: string): EventManagerError {
  return new EventManagerError('invalid_setting', `The setting ${name} (${from}) ${words}.`, { setting: name, from });
}
