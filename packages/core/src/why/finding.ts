import { parseEventId } from '../event/event-id.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
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

/** What a person types to mean a subscription: its name, unless a command would take that for an option or for an id. */
export function calledBy({ id, name }: Pick<SubscriptionDefinition, 'id' | 'name'>): string {
  return name === undefined || name.startsWith('-') || parseEventId(name) !== undefined ? id : name;
}

export function moment(atMs: number): string {
  return new Date(atMs).toISOString();
}

function shellWord(word: string): string {
  return SAFE_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
