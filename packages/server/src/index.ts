export { EVERY_SETTING, type NamedSetting } from './configuration/every-setting.ts';
export { LIMIT_SETTINGS } from './configuration/limit-settings.ts';
export {
  readConfiguration,
  type SettledConfiguration,
  type SettledSetting,
  type Surroundings,
  settleConfiguration,
} from './configuration/read-configuration.ts';
export { type Configuration, SETTINGS } from './configuration/settings.ts';
export type { MetricRow } from './metrics/metric-row.ts';
export { ABSENT_METRICS, METRICS, PROCESS_METRICS } from './metrics/metric-table.ts';
export { HTTP_STATUS } from './protocols/http/status.ts';
export { type Service, type ServiceOptions, startService } from './service.ts';
