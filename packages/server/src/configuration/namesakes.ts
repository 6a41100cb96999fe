import type { SettledConfiguration } from './read-configuration.ts';

/** Of each setting that was given in two ways of the same strength: which one won. */
export function namesakes({ settings }: SettledConfiguration): string[] {
  return [...settings.values()].flatMap(({ row, from, kind, beaten }) => {
    if (kind === 'default') return [];
    const variables = beaten.filter((given) => given.kind === kind).map((given) => given.from);
    const others = (row.use === 'none' ? (row.beats ?? []) : []).flatMap((name) => {
      const other = settings.get(name);
      return other === undefined || other.kind === 'default' ? [] : [other.from];
    });
    const losers = [...variables, ...others];
    return losers.length === 0 ? [] : [`${row.name}: ${from} won over ${losers.join(', ')}`];
  });
}
