import type { Announcer, Runtime } from '@event-manager/core';
import type { StoreConnection } from '../connect/store-connection.ts';
import type { LogBranch } from './log-branch.ts';

/** What the parts of the log share. */
export interface LogCore {
  readonly connection: StoreConnection;
  readonly runtime: Runtime;
  /** What of the log is not there, and whether it is still the log that it was. */
  readonly branch: LogBranch;
  readonly announcer: Pick<Announcer, 'announce'>;
}
