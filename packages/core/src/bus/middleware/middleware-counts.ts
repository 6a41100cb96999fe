import type { MiddlewareStats } from './middleware.ts';

/** What the pipeline counts of one middleware while it works. */
export class MiddlewareCounts {
  seen = 0;
  passed = 0;
  filtered = 0;
  refused = 0;
  failed = 0;
  timedOut = 0;
  passedOver = 0;
  late = 0;
  durationMs = 0;
  durationMaxMs = 0;

  took(durationMs: number): void {
    this.durationMs += durationMs;
    if (durationMs > this.durationMaxMs) this.durationMaxMs = durationMs;
  }

  stats(name: string): MiddlewareStats {
    return { name, ...this };
  }
}
