import type { Announcer } from '@event-manager/core';
import type { StoreConnection } from '../connect/store-connection.ts';

/** What the parts of the state share. */
export interface StateCore {
  readonly connection: StoreConnection;
  /** Who this process is: what it numbers its commits under. */
  readonly self: string;
  readonly announcer: Pick<Announcer, 'announce'>;
}
