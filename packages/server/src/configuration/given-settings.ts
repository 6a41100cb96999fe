import { EventManagerError } from '@event-manager/core';

/** Where a value comes from, strongest first. */
export type SourceKind = 'command line' | 'environment' | 'file';

/** One value as it was given, and where: the words go into the error when it cannot be read. */
export interface Given {
  readonly value: unknown;
  readonly from: string;
  readonly kind: SourceKind;
}

/** What one source says, by the names of settings; strongest first where a source may say it in several ways. */
export type GivenSettings = ReadonlyMap<string, readonly Given[]>;

/** Takes a mistake; reading goes on behind it if it returns. */
export type NoteMistake = (mistake: EventManagerError) => void;

/** The first mistake ends it: a service must not start with settings that were not meant. */
export const refuse: NoteMistake = (mistake) => {
  throw mistake;
};

export function invalidSetting(name: string, from: string, words: string): EventManagerError {
  return new EventManagerError('invalid_setting', `The setting ${name} (${from}) ${words}.`, { setting: name, from });
}
