import type { Announcer } from '@event-manager/core';
import type { Connections } from '../connect/connections.ts';

/** What the parts of the state share. */
export interface StateCore {
  readonly connections: Connections;
  /** Quoted. */
  readonly schema: string;
  /** What this process announces its changes by, and numbers its commits under. */
  readonly self: string;
  /** Tells of changes in place of this process, as long as everybody hears it. */
  readonly announcer: Announcer | undefined;
}
