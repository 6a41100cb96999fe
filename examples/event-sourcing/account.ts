// #region events
import { createEventFactory, EventManagerError, type SnapshotDefinition, type Upcaster } from '@event-manager/core';

const VERSION = '2.0';

/** What can happen to an account. */
export const happened = createEventFactory({
  'account.opened': (owner: string) => ({ payload: { owner }, version: VERSION }),
  'account.deposited': (cents: number) => ({ payload: { cents }, version: VERSION }),
  'account.withdrawn': (cents: number) => ({ payload: { cents }, version: VERSION }),
});

/** Version 1.0 counted in whole currency. What was stored then is read as if it had been written today. */
export const UPCASTERS: readonly Upcaster[] = ['account.deposited', 'account.withdrawn'].map((type) => ({
  type,
  from: '1.0',
  to: VERSION,
  upcast: ({ amount }) => ({ cents: Math.round(Number(amount) * 100) }),
}));
// #endregion

// #region state
export interface Account {
  /** How many events it is made of. */
  readonly version: number;
  readonly owner: string | null;
  readonly cents: number;
}

export const topicOf = (number: string) => `accounts/${number}`;

/** How the events of one account become its state. */
export function accountOf(number: string): SnapshotDefinition<Account> {
  return {
    name: topicOf(number),
    topic: topicOf(number),
    initial: { version: 0, owner: null, cents: 0 },
    apply(account, { type, payload }) {
      const version = account.version + 1;
      if (type === 'account.opened') return { ...account, version, owner: payload.owner };
      const sign = type === 'account.withdrawn' ? -1 : 1;
      return { ...account, version, cents: account.cents + sign * payload.cents };
    },
  };
}
// #endregion

// #region commands
/** A command looks at the state and says what happens, or why it cannot. */
export const open = (owner: string) => (account: Account) => {
  if (account.version > 0) throw refused('The account is open already.');
  return happened.createAccountOpened(owner);
};

export const deposit = (cents: number) => (account: Account) => {
  if (account.owner === null) throw refused('There is no such account.');
  return happened.createAccountDeposited(cents);
};

export const withdraw = (cents: number) => (account: Account) => {
  if (account.cents < cents) throw refused(`The account has ${account.cents / 100}.`);
  return happened.createAccountWithdrawn(cents);
};

function refused(words: string): EventManagerError {
  return new EventManagerError('invalid_request', words);
}
// #endregion
