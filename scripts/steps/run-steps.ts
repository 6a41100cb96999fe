import { performance } from 'node:perf_hooks';
import type { Skip, Step } from './step.ts';

/** Runs the steps in order, all of them even after a failure, and ends with the line that people and machines read. */
export async function runSteps(steps: readonly Step[], print: (line: string) => void = console.log): Promise<boolean> {
  let passed = 0;
  let failed = 0;
  const skipped: Skip[] = [];
  for (const step of steps) {
    print(`\n[${step.name}]`);
    const startedAtMs = performance.now();
    const result = await step.run();
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    passed += result.passed;
    failed += result.failed;
    skipped.push(...result.skipped);
    print(`[${step.name}] ${result.failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  }
  print('');
  for (const skip of skipped) print(`skipped: ${skip.name}: ${skip.reason}`);
  print(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  return failed === 0;
}
