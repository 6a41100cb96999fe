import type { EventManager } from '@event-manager/core';
import { onTestFinished } from 'vitest';

/** What a face of the event manager hands to its suite. */
export interface EventManagerHarness {
  readonly name: string;
  /** Makes one on nothing: no event, no subscription. */
  open(): Promise<OpenedEventManager>;
}

export interface OpenedEventManager {
  readonly events: EventManager;
  /** Closes it and makes another on the same data. */
  reopen(): Promise<EventManager>;
  dispose(): Promise<void>;
}

/** Opens the face for one test. */
export type StartEventManager = () => Promise<OpenedEventManager>;

export function startEventManager(harness: EventManagerHarness): StartEventManager {
  return async () => {
    const opened = await harness.open();
    onTestFinished(() => opened.dispose());
    return opened;
  };
}
