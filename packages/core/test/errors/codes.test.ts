import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors/codes.ts';
import { EventManagerError, isEventManagerError } from '../../src/errors/event-manager-error.ts';

const PAGE = join(import.meta.dirname, '../../../../docs/errors.md');

/** Rows of the table: `code`, kind, retryable, meaning. */
function documentedRows(): Map<string, { kind: string; retryable: boolean; meaning: string }> {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| `([a-z_]+)` \| ([a-z-]+) \| (yes|no) \| (.+) \|$/gm);
  return new Map(
    [...rows].map(([, code, kind, again, meaning]) => [
      code!,
      { kind: kind!, retryable: again === 'yes', meaning: meaning! },
    ]),
  );
}

it('keeps the codes and docs/errors.md equal, so that nobody meets an undocumented error or waits for one that is gone', () => {
  expect(Object.fromEntries(documentedRows())).toEqual(ERROR_CODES);
});

it('lists every code once', () => {
  const text = readFileSync(PAGE, 'utf8');
  for (const code of Object.keys(ERROR_CODES)) expect(text.split(`| \`${code}\` |`)).toHaveLength(2);
});

it('gives an error the kind and retryability of its code', () => {
  const error = new EventManagerError('overloaded', 'Too much is waiting.', { retryAfterMs: 100 });
  expect(error).toMatchObject({
    kind: 'limit',
    retryable: true,
    details: { retryAfterMs: 100 },
    name: 'EventManagerError',
  });
  expect(isEventManagerError(error, 'overloaded')).toBe(true);
  expect(isEventManagerError(error, 'closed')).toBe(false);
});
