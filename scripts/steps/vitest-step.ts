import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../repository-root.ts';
import type { Step, StepResult } from './step.ts';

/** Every test of the repository. Vitest's own output is passed through; the counts come from our reporter's file. */
export function vitestStep(name: string): Step {
  return {
    name,
    async run() {
      const dir = mkdtempSync(join(tmpdir(), 'event-manager-counts-'));
      try {
        const countsPath = join(dir, 'counts.json');
        const exitCode = await runVitest(countsPath);
        return judge(exitCode, readCounts(countsPath));
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    },
  };
}

async function runVitest(countsPath: string): Promise<number | null> {
  const reporter = join(repositoryRoot, 'scripts/steps/counting-reporter.ts');
  const entry = join(repositoryRoot, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [entry, 'run', '--reporter=default', `--reporter=${reporter}`], {
    cwd: repositoryRoot,
    env: { ...process.env, TEST_COUNTS_FILE: countsPath },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [exitCode] = await once(child, 'exit');
  return exitCode;
}

function readCounts(path: string): StepResult | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A run that ended badly counts as a failure even when no single test failed: it crashed, or an error escaped every test. */
function judge(exitCode: number | null, counts: StepResult | undefined): StepResult {
  if (counts === undefined) return { passed: 0, failed: 1, skipped: [] };
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
