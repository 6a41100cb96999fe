import { LOG_SQL } from './0001-log.ts';
import { APPEND_SQL } from './0002-append.ts';
import { TRIM_SQL } from './0003-trim.ts';
import { STATE_SQL } from './0004-state.ts';
import { VIEWS_SQL } from './0005-views.ts';
import { MOVES_SQL } from './0006-moves.ts';
import { IDENTITY_SQL } from './0007-identity.ts';
import { LEASE_DURATION_SQL } from './0008-lease-duration.ts';
import { GAPS_SQL } from './0009-gaps.ts';
import { CAUSATION_SQL } from './0010-causation.ts';
import { TYPES_BESIDE_SQL } from './0011-types-beside.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** `%schema%` stands for the quoted schema. */
  readonly sql: string;
}

/** In order. What was released is never changed: the database remembers the checksum of what it ran. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'log', sql: LOG_SQL },
  { version: 2, name: 'append', sql: APPEND_SQL },
  { version: 3, name: 'trim', sql: TRIM_SQL },
  { version: 4, name: 'state', sql: STATE_SQL },
  { version: 5, name: 'views', sql: VIEWS_SQL },
  { version: 6, name: 'moves', sql: MOVES_SQL },
  { version: 7, name: 'identity', sql: IDENTITY_SQL },
  { version: 8, name: 'lease duration', sql: LEASE_DURATION_SQL },
  { version: 9, name: 'gaps', sql: GAPS_SQL },
  { version: 10, name: 'causation', sql: CAUSATION_SQL },
  { version: 11, name: 'types beside', sql: TYPES_BESIDE_SQL },
];
