import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { repositoryRoot } from '../repository-root.ts';
import type { Skip, StepResult } from './step.ts';

/**
 * Writes how many tests passed, failed and were skipped, with the reason of each skip, to the file named by
 * `TEST_COUNTS_FILE`. Vitest's JSON reporter leaves out the reasons given to `context.skip(reason)`.
 */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const path = process.env['TEST_COUNTS_FILE'];
    if (path !== undefined) writeFileSync(path, JSON.stringify(countTests(modules, unhandled.length)));
  }
}

export function countTests(modules: readonly TestModule[], unhandled: number): StepResult {
  let passed = 0;
  let failed = unhandled;
  const skipped: Skip[] = [];
  for (const module of modules) {
    // A file that cannot be loaded has no tests to fail, only errors.
    failed += module.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'failed') failed += 1;
      else
        skipped.push({
          name: `${relative(repositoryRoot, module.moduleId)} > ${test.fullName}`,
          reason: reasonOf(result),
        });
    }
  }
  return { passed, failed, skipped };
}

function reasonOf(result: { readonly state: string; readonly note?: string | undefined }): string {
  if (result.note !== undefined) return result.note;
  return result.state === 'skipped' ? 'the condition stated in its name does not hold here' : 'it did not finish';
}
