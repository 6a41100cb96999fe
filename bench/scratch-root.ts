import { join } from 'node:path';

/** Where benchmarks write. Not the folder for temporary files: that is memory on many machines. */
export function scratchRoot(): string {
  return process.env['BENCH_DIR'] ?? join(import.meta.dirname, '..', 'node_modules', '.cache', 'bench');
}
