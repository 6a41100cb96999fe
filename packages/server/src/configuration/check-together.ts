import { invalidSetting, type NoteMistake } from './given-settings.ts';
import { isLoopback } from './is-loopback.ts';
import type { SettledSetting } from './read-configuration.ts';
import { type Configuration, SETTINGS } from './settings.ts';

/** Notes settings of which each is right alone. */
export function checkTogether(
  configuration: Configuration,
  settings: ReadonlyMap<string, SettledSetting>,
  note: NoteMistake,
): void {
  const { host, allowUnauthenticated, limits, wsFrameBytesMax, retryInitialDelayMs, retryMaxDelayMs } = configuration;
  /** Where it was given; for a default the variable by which it can be changed. */
  const from = (name: string): string => {
    const { from: given, row } = settings.get(name)!;
    return given === '' ? row.variable : given;
  };
  if (!isLoopback(host) && !allowUnauthenticated) {
    const words =
      `would let everybody who reaches ${host} read and publish everything, because this version has no authentication; ` +
      `use 127.0.0.1, or say ${SETTINGS.allowUnauthenticated.variable}=true if something in front of it decides who gets in`;
    note(invalidSetting('host', from('host'), words));
  }
  if (limits.eventBytesMax > (wsFrameBytesMax ?? limits.eventBytesMax)) {
    const words = 'must not be smaller than limits.eventBytesMax: an event of that size could not be sent';
    note(invalidSetting('wsFrameBytesMax', from('wsFrameBytesMax'), words));
  }
  if (retryMaxDelayMs < retryInitialDelayMs) {
    const words = 'must not be shorter than retryInitialDelayMs: the longest wait is no shorter than the first';
    note(invalidSetting('retryMaxDelayMs', from('retryMaxDelayMs'), words));
  }
  if (limits.eventBytesMax > limits.bodyBytesMax) {
    const words = 'must not be larger than limits.bodyBytesMax: an event of that size could not be sent';
    note(invalidSetting('limits.eventBytesMax', from('limits.eventBytesMax'), words));
  }
}
