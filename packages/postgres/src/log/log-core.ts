import type { Announcer, Runtime } from '@event-manager/core';
import type { Connections } from '../connect/connections.ts';
import type { LogBranch } from './log-branch.ts';

/** What the parts of the log share. */
export interface LogCore {
  readonly connections: Connections;
  readonly runtime: Runtime;
  /** Quoted. */
  readonly schema: string;
  /** What of the log is not there, and whether it is still the log that it was. */
  readonly branch: LogBranch;
  /** Who this process is. */
  readonly self: string;
  readonly announcer: Pick<Announcer, 'announce'>;
}
