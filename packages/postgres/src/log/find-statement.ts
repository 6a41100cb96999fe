import type { EventQuery } from '@event-manager/core';
import { narrowQuery } from './narrow-query.ts';
import { RECORD_COLUMNS } from './record-row.ts';

/** From, through and limit come first. */
const PARAMETERS = 3;

/** One window of a search. */
export interface FindStatement {
  readonly text: string;
  /** Behind from, through and limit. */
  readonly values: readonly unknown[];
}

/** The statement that reads what an index can narrow a query to, between two positions. */
export function findStatement(schema: string, query: EventQuery, isForward: boolean): FindStatement {
  const isCovered = isAnsweredByIndex(query);
  const { conditions, values } = narrowQuery(query, PARAMETERS, isCovered);
  const where = ['e.position BETWEEN $1 AND $2', ...conditions].join(' AND ');
  const direction = isForward ? '' : ' DESC';
  const order = `ORDER BY e.position${direction}`;
  if (!isCovered) {
    return { text: `SELECT ${RECORD_COLUMNS} FROM ${schema}.events e WHERE ${where} ${order} LIMIT $3`, values };
  }
  // Asked for nothing that the index has not, the server reads the index alone; then come the few rows that are wanted.
  const found = `SELECT e.position FROM ${schema}.events e WHERE ${where} ${order} LIMIT $3`;
  return {
    text: `SELECT ${RECORD_COLUMNS} FROM (${found}) f JOIN ${schema}.events e USING (position) ${order}`,
    values,
  };
}

/** By user or project, and by type: what the indexes of `0011-types-beside.ts` hold. */
function isAnsweredByIndex(query: EventQuery): boolean {
  const { userId, projectId, types, topic = '#', ...rest } = query;
  if (types === undefined || (userId === undefined) === (projectId === undefined)) return false;
  return /^[#*]$/.test(topic) && Object.values(rest).every((value) => value === undefined);
}
