import type { Announcer } from '@event-manager/core';
import type { Connections } from '../connect/connections.ts';

/** What the parts of the state share. */
export interface StateCore {
  readonly connections: Connections;
  /** Quoted. */
  readonly schema: string;
  /** Who this process is: what it numbers its commits under. */
  readonly self: string;
  readonly announcer: Pick<Announcer, 'announce'>;
}
