import type { MemoryAdapter } from '@event-manager/core';
import type { VirtualTime } from '../../src/virtual-time.ts';

/** Ways to spoil an adapter, by what is then wrong with it. */
export type Mutants = Readonly<Record<string, (adapter: MemoryAdapter, time: VirtualTime) => void>>;

type Method = (...given: never[]) => unknown;

/** Puts another method in the place of one, with the original at hand. */
export function replace<T extends object, K extends keyof T>(target: T, name: K, wrap: (original: T[K]) => T[K]): void {
  const original = (target[name] as Method).bind(target) as T[K];
  target[name] = wrap(original);
}
