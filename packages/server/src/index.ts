export { readConfiguration, type Surroundings } from './configuration/read-configuration.ts';
export { type Configuration, LIMIT_SETTINGS, SETTINGS } from './configuration/settings.ts';
export { HTTP_STATUS } from './protocols/http/status.ts';
export { type Service, type ServiceOptions, startService } from './service.ts';
