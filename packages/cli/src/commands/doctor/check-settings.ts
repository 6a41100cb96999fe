import { isEventManagerError } from '@event-manager/core';
import { type SettledConfiguration, type Surroundings, settleConfiguration } from '@event-manager/server/configuration';
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
    return {
      settled,
      findings: [{ check: 'settings', status: 'ok', detail }, ...namesakes(settled), ...unused(settled)],
    };
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    const advice = 'Correct it; docs/configuration.md lists every setting.';
    return { findings: [{ check: 'settings', status: 'failed', detail: error.message, advice }] };
  }
}

/** Two ways to say the same were used: which one won. */
function namesakes({ settings }: SettledConfiguration): Finding[] {
  return [...settings.values()].flatMap(({ row, from, kind, beaten }) => {
    if (kind === 'default') return [];
    const variables = beaten.filter((given) => given.kind === kind).map((given) => given.from);
    const others = (row.use === 'none' ? (row.beats ?? []) : []).flatMap((name) => {
      const other = settings.get(name);
      return other === undefined || other.kind === 'default' ? [] : [other.from];
    });
    const losers = [...variables, ...others];
    if (losers.length === 0) return [];
    const detail = `${row.name}: ${from} won over ${losers.join(', ')}`;
    return [{ check: 'settings', status: 'ok', detail } as const];
  });
}

function unused({ warnings }: SettledConfiguration): Finding[] {
  return warnings.map((detail) => ({
    check: 'settings',
    status: 'warning',
    detail,
    advice: 'Remove it, or ignore this.',
  }));
}
