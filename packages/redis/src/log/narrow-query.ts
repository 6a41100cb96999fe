import type { Appendable, EventQuery } from '@event-manager/core';
import { SEARCHED } from '../lua/append-events.ts';
import type { ScriptValue } from '../lua/script.ts';

const EVERY_LANE = '*';
/** No text of an event holds it. */
const SEPARATOR = '\0';

/** What the server can tell by itself of the events that a query wants: the end of what `SCAN_EVENTS` is given. */
export function narrowQuery(query: EventQuery): readonly ScriptValue[] {
  const { topic, types, priorities, sources, correlationId, causationIds, userId, projectId } = query;
  const asked: { readonly [Name in (typeof SEARCHED)[number]]: readonly string[] | undefined } = {
    type: types?.some(isPattern) ? undefined : types?.map(canonical),
    source: sources,
    correlation: only(correlationId),
    causation: causationIds,
    user: only(userId),
    project: only(projectId),
  };
  const conditions = SEARCHED.flatMap((name, at) => {
    const values = asked[name];
    return values === undefined ? [] : [at + 1, values.length, ...values];
  });
  const exactTopic = topic === undefined || isPattern(topic) ? '' : canonical(topic);
  const sets = correlationId === undefined ? causationIds?.map((id) => `cause:${id}`) : [`flow:${correlationId}`];
  return [priorities?.join('') ?? EVERY_LANE, exactTopic, sets?.length ?? 0, ...(sets ?? []), ...conditions];
}

/** What searches ask of an event, as `APPEND_EVENTS` is given it: all of the `SEARCHED`, correlation, cause. */
export function searchedOf(event: Appendable): [searched: string, correlation: string, causation: string] {
  const { type, source, correlationId = '', causationId = '', userId = '', projectId = '' } = event;
  const fields: { readonly [Name in (typeof SEARCHED)[number]]: string } = {
    ...{ type: canonical(type), source, correlation: correlationId },
    ...{ causation: causationId, user: userId, project: projectId },
  };
  return [SEARCHED.map((name) => fields[name]).join(SEPARATOR), correlationId, causationId];
}

function isPattern(text: string): boolean {
  return /[+*#]/.test(text);
}

/** Both separators of levels are one. */
function canonical(text: string): string {
  return text.replaceAll('.', '/');
}

function only(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value];
}
