import type { EventBusAdapter, EventStore, StateStore, Supports } from '@event-manager/core';

/** What an adapter's own test hands to the suites. */
export interface ConformanceHarness {
  readonly name: string;
  /** The same object that the adapter shows; the only thing that decides which tests run. */
  readonly supports: Supports;
  /** Opens an adapter on nothing: no event, no state. */
  open(): Promise<OpenedAdapter>;
}

export interface OpenedAdapter {
  readonly adapter: EventBusAdapter;
  /** Closes the adapter and opens one on the same data, as a restart would. */
  reopen(): Promise<EventBusAdapter>;
  /**
   * Ends the adapter as a killed process or a lost machine would, and opens one on what is left. Absent where that cannot be
   * done from inside a test: what the adapter was asked is then finished before somebody else looks at the data.
   */
  crash?(): Promise<EventBusAdapter>;
  /** Lets this long pass on the adapter's monotonic clock. */
  elapse(ms: number): Promise<void>;
  /** Moves the adapter's wall clock alone. */
  jumpWall(ms: number): void;
  /**
   * Opens a second adapter on the same data beside the first, as another process would. Needed when `supports.shared`;
   * otherwise it must refuse with `store_locked`, which is tested if the data can be reached a second time at all.
   */
  openSecond?(): Promise<EventBusAdapter>;
  /** Closes whatever is open and removes the data. */
  dispose(): Promise<void>;
}

/** Every test runs on an adapter that stays open, and again with a restart between what it writes and what it reads. */
export const SUBJECT_MODES = ['open', 'reopened'] as const;
export type SubjectMode = (typeof SUBJECT_MODES)[number];

/** Opens the adapter for one test. */
export type StartSubject = () => Promise<Subject>;

/** The adapter as a test sees it. `store` and `state` always mean the one that is open now. */
export class Subject {
  readonly opened: OpenedAdapter;
  readonly #mode: SubjectMode;
  #adapter: EventBusAdapter;

  constructor(opened: OpenedAdapter, mode: SubjectMode) {
    this.opened = opened;
    this.#mode = mode;
    this.#adapter = opened.adapter;
  }

  get adapter(): EventBusAdapter {
    return this.#adapter;
  }

  get store(): EventStore {
    return this.#adapter.store;
  }

  get state(): StateStore {
    return this.#adapter.state;
  }

  /** Between writing and reading: restarts the adapter in the mode `reopened`. */
  async throughReopen(): Promise<void> {
    if (this.#mode === 'reopened') await this.reopen();
  }

  async reopen(): Promise<void> {
    this.#adapter = await this.opened.reopen();
  }

  /** Where an engine was killed: kills the adapter too if its harness can do that. */
  async throughCrash(): Promise<void> {
    if (this.opened.crash) this.#adapter = await this.opened.crash();
    else await this.throughReopen();
  }
}
