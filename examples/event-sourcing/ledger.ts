// #region ledger
import {
  type EventBus,
  foreignEventId,
  isEventManagerError,
  type MadeEvent,
  type SnapshotService,
} from '@event-manager/core';
import { type Account, accountOf, topicOf } from './account.ts';

const ATTEMPTS_MAX = 100;

/**
 * Carries out commands. The nth event of an account has an id that follows from the account and n: of two that were decided on
 * the same state the log takes one, and the other is told `id_conflict` and decides again on the state as it is now.
 */
export class Ledger {
  readonly #bus: EventBus;
  readonly #snapshots: SnapshotService;

  constructor(bus: EventBus, snapshots: SnapshotService) {
    this.#bus = bus;
    this.#snapshots = snapshots;
  }

  async run(number: string, commandId: string, decide: (account: Account) => MadeEvent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const account = await this.load(number);
      const id = foreignEventId(topicOf(number), String(account.version + 1));
      // Without the command's own id, two deposits of one amount would be taken for the same one.
      const metadata = { commandId, orderingKey: number };
      try {
        await this.#bus.publish({ ...decide(account), id, topic: topicOf(number), metadata });
        return;
      } catch (error) {
        if (!isEventManagerError(error, 'id_conflict') || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async load(number: string): Promise<Account> {
    return (await this.#snapshots.load(accountOf(number))).state;
  }
}
// #endregion
