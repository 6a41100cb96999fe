import type { Measured } from './benchmark.ts';

/** What a benchmark prints: one JSON object on one line. */
export interface Line extends Measured {
  readonly name: string;
  readonly target: string;
}

const SIGNIFICANT_DIGITS = 4;

/** Figures are rounded to what they can bear: these machines are shared. */
export function lineOf(name: string, target: string, measured: Measured): Line {
  const { value, unit, note, details, ok, ...rest } = measured;
  return {
    name,
    value: rounded(value),
    unit,
    ...roundedAll(rest),
    target,
    ...(ok === undefined ? {} : { ok }),
    ...(note === undefined ? {} : { note }),
    ...(details === undefined ? {} : { details: roundedAll(details) }),
  };
}

function roundedAll<Figures extends Readonly<Record<string, number>>>(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, rounded(figure)])) as Figures;
}

function rounded(figure: number): number {
  return Number(figure.toPrecision(Math.max(SIGNIFICANT_DIGITS, Math.ceil(Math.log10(Math.abs(figure) + 1)))));
}
