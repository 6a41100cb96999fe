import type { Position } from '../../contracts/event-store.ts';
import type { Parked } from './key-record.ts';

/** What a subscription wants to hear of its keys. */
export interface KeyListener {
  /** The event left the lane for the range of its key: nobody shall wait for its first attempt. */
  putOff(position: Position): void;
  /** A range ended and so many events of it were not found: they do not match any more, or are `lost`. */
  missing(count: number, lost: boolean): void;
  /** So many events of a range expired before it was read. */
  expired(count: number): void;
  /** A key is parked from now on. */
  parked(key: string, parked: Parked): void;
}

export const DEAF: KeyListener = { putOff() {}, missing() {}, expired() {}, parked() {} };
