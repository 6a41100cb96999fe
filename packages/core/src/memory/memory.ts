import { MemoryAdapter, type MemoryOptions } from './memory-adapter.ts';

/** An adapter that keeps everything in this process: for tests and for buses that need not survive it. */
export function memory(options: MemoryOptions = {}): MemoryAdapter {
  return new MemoryAdapter(options);
}
