import type { Announcer, LostRange, Runtime } from '@event-manager/core';
import type { Connections } from '../connect/connections.ts';

/** What the parts of the log share. */
export interface LogCore {
  readonly connections: Connections;
  readonly runtime: Runtime;
  /** Quoted. */
  readonly schema: string;
  /** Holes of a log that came from another store, ascending. They never change while a store is open. */
  readonly lost: readonly LostRange[];
  /** What this process announces its changes by. */
  readonly self: string;
  /** Tells of changes in place of this process, as long as everybody hears it. */
  readonly announcer: Announcer | undefined;
}
