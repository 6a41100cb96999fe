/** The settings alone, for programs that look at them without starting the service: nothing of HTTP is loaded. */
export { databaseFailure } from '../database/database-failure.ts';
export { databasePlace, isDatabaseAddress } from '../database/database-place.ts';
export { EVERY_SETTING, type NamedSetting } from './every-setting.ts';
export type { Given, SourceKind } from './given-settings.ts';
export { isLoopback } from './is-loopback.ts';
export { namesakes } from './namesakes.ts';
export {
  findMistakes,
  type SettledConfiguration,
  type SettledSetting,
  type Surroundings,
  settleConfiguration,
} from './read-configuration.ts';
export type { Configuration } from './settings.ts';
