import {
  type AdapterHealth,
  type EventBusAdapter,
  type EventStore,
  type Exchange,
  type StateStore,
  type Supports,
  systemTimers,
  type Timers,
} from '@event-manager/core';
import { StoreFaults } from './store-faults.ts';

/** Any adapter, with what a test has go wrong in front of it: `faulty(journal({ directory }))`, `adapter.faults.fill()`. */
export function faulty<Inner extends EventBusAdapter>(
  inner: Inner,
  { timers = systemTimers }: { readonly timers?: Timers | undefined } = {},
): FaultyAdapter<Inner> {
  return new FaultyAdapter(inner, new StoreFaults(timers));
}

export class FaultyAdapter<Inner extends EventBusAdapter = EventBusAdapter> implements EventBusAdapter {
  readonly faults: StoreFaults;
  readonly inner: Inner;
  readonly store: EventStore;
  readonly state: StateStore;

  constructor(inner: Inner, faults: StoreFaults) {
    this.inner = inner;
    this.faults = faults;
    this.store = storeWith(faults, () => inner.store);
    this.state = stateWith(faults, () => inner.state);
  }

  get name(): string {
    return this.inner.name;
  }

  get supports(): Supports {
    return this.inner.supports;
  }

  get exchange(): Exchange {
    // Absent is not the same as undefined to the compiler, and a getter cannot be absent.
    return this.inner.exchange as Exchange;
  }

  open(): Promise<void> {
    return this.inner.open();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  health(): AdapterHealth {
    const { status } = this.faults;
    const health = this.inner.health();
    return status === 'ok' ? health : { ...health, status, reason: 'A test has it go wrong.' };
  }

  /** What was stored and not answered is heard of as what somebody else stored. */
  watch(onHint: () => void): () => void {
    const ends = [this.inner.watch(onHint), this.faults.onLostAnswer(onHint)];
    return () => {
      for (const end of ends) end();
    };
  }

  storeId(): string {
    return this.inner.storeId?.() ?? this.name;
  }
}

/** The store is asked for with each call: some have it only once they are open. */
function storeWith(faults: StoreFaults, inner: () => EventStore): EventStore {
  return {
    append: (...given) => faults.call('append', () => inner().append(...given)),
    read: (...given) => faults.call('read', () => inner().read(...given)),
    get: (...given) => faults.call('read', () => inner().get(...given)),
    find: (...given) => faults.call('read', () => inner().find(...given)),
    bounds: () => faults.call('read', () => inner().bounds()),
    trim: (...given) => faults.call('commit', () => inner().trim(...given)),
  };
}

function stateWith(faults: StoreFaults, inner: () => StateStore): StateStore {
  return {
    load: (...given) => faults.call('read', () => inner().load(...given)),
    get: (...given) => faults.call('read', () => inner().get(...given)),
    commit: (...given) => faults.call('commit', () => inner().commit(...given)),
    acquire: (...given) => faults.call('commit', () => inner().acquire(...given)),
    holders: (...given) => faults.call('read', () => inner().holders(...given)),
    renew: (...given) => faults.call('commit', () => inner().renew(...given)),
    release: (...given) => faults.call('commit', () => inner().release(...given)),
  };
}
