import type { JsonObject, JsonValue } from '../json.ts';
import type { WhyAdvice, WhyFinding, WhyReason } from './why.ts';

const SAFE_WORD = /^[\w@%+=:,./-]+$/;

/** One cause. Facts without a value are left out. */
export function finding(
  reason: WhyReason,
  words: string,
  facts: Readonly<Record<string, JsonValue | undefined>> = {},
  advice?: WhyAdvice,
): WhyFinding {
  const known = Object.entries(facts).filter((fact): fact is [string, JsonValue] => fact[1] !== undefined);
  return { reason, words, ...(advice ? { advice } : {}), facts: Object.fromEntries(known) as JsonObject };
}

/** A command of the command line, each word as a shell has to have it. */
export function command(...words: readonly string[]): string {
  return ['event-manager', ...words].map(shellWord).join(' ');
}

export function moment(atMs: number): string {
  return new Date(atMs).toISOString();
}

function shellWord(word: string): string {
  return SAFE_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
