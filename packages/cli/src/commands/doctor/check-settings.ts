import { isEventManagerError } from '@event-manager/core';
import {
  namesakes,
  type SettledConfiguration,
  type Surroundings,
  settleConfiguration,
} from '@event-manager/server/configuration';
import type { Finding } from './check.ts';

export interface SettingsCheck {
  readonly findings: readonly Finding[];
  readonly settled?: SettledConfiguration;
}

export function checkSettings(surroundings: Surroundings): SettingsCheck {
  try {
    const settled = settleConfiguration(surroundings);
    const file = settled.configuration.config;
    const given = [...settled.settings.values()].filter(({ kind }) => kind !== 'default').length;
    const detail = `${given} given${file === undefined ? '' : `, file ${file}`}; event-manager config print shows them`;
    const twice = namesakes(settled).map((words) => ({ check: 'settings', status: 'ok', detail: words }) as const);
    return {
      settled,
      findings: [{ check: 'settings', status: 'ok', detail }, ...twice, ...unused(settled)],
    };
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    const advice = 'Correct it; docs/configuration.md lists every setting.';
    return { findings: [{ check: 'settings', status: 'failed', detail: error.message, advice }] };
  }
}

function unused({ warnings }: SettledConfiguration): Finding[] {
  return warnings.map((detail) => ({
    check: 'settings',
    status: 'warning',
    detail,
    advice: 'Remove it, or ignore this.',
  }));
}
