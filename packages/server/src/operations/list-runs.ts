import { EventManagerError, type Principal, type Run, type RunFailure, type RunKind } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const CURSOR_CHARACTERS_MAX = 400;
const ID = /^[0-9a-f-]{36}$/;
const REPORT_KEY = /^[0-9a-f-]{36}\/\d{16}$/;

export interface RunsPage {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Replays, redrives and discards, the newest first. Throws `invalid_query`, `invalid_cursor`. */
export async function listRuns(
  { engine }: OperationContext,
  principal: Principal,
  { limit = LIMIT_DEFAULT, cursor, kind }: RunsPage & { readonly kind?: RunKind | undefined },
): Promise<{ readonly runs: readonly Run[]; readonly nextCursor?: string }> {
  assertLimit(limit);
  const before = readCursor(cursor, ID);
  const { runs, next } = await engine.runs.page(principal, { kind, before, limit });
  return { runs, ...cursorOf(next) };
}

/** The deliveries that a replay gave up on. Throws `run_not_found` and the same. */
export async function reportRun(
  { engine }: OperationContext,
  principal: Principal,
  id: string,
  { limit = LIMIT_DEFAULT, cursor }: RunsPage,
): Promise<{ readonly failures: readonly RunFailure[]; readonly nextCursor?: string }> {
  assertLimit(limit);
  const { failures, next } = await engine.runs.report(principal, id, { after: readCursor(cursor, REPORT_KEY), limit });
  return { failures, ...cursorOf(next) };
}

function assertLimit(limit: number): void {
  if (limit >= 1 && limit <= LIMIT_MAX) return;
  const details = { pointer: '/limit', maximum: LIMIT_MAX };
  throw new EventManagerError('invalid_query', `A page has 1 to ${LIMIT_MAX} entries.`, details);
}

function cursorOf(next: string | undefined): { readonly nextCursor?: string } {
  return next === undefined ? {} : { nextCursor: Buffer.from(next).toString('base64url') };
}

function readCursor(cursor: string | undefined, shape: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const text = cursor.length > CURSOR_CHARACTERS_MAX ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  if (shape.test(text)) return text;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
