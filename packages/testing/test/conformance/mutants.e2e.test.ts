import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_STORE_MUTANTS } from './event-store-mutants.ts';
import { STATE_STORE_MUTANTS } from './state-store-mutants.ts';

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Runs the suites on all spoilt adapters in a process of its own; gives the tests that failed, by adapter. */
async function runMutants(folder: string): Promise<{ failed: Map<string, string[]>; passed: Set<string> }> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const reportPath = join(folder, 'report.json');
  const config = join(import.meta.dirname, 'mutants.config.ts');
  const args = [vitest, 'run', '--config', config, '--reporter=json', `--outputFile=${reportPath}`];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: 'ignore', timeout: 120_000 });
  await once(child, 'exit');
  const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
  const failed = new Map<string, string[]>();
  const passed = new Set<string>();
  for (const { fullName, status } of report.testResults.flatMap(({ assertionResults }) => assertionResults)) {
    const adapter = /<(.*?)>/.exec(fullName)![1]!;
    if (status === 'passed') passed.add(adapter);
    if (status === 'failed') failed.set(adapter, [...(failed.get(adapter) ?? []), fullName]);
  }
  return { failed, passed };
}

describe('the conformance suites catch an adapter that', () => {
  let folder: string;
  let run: Awaited<ReturnType<typeof runMutants>>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mutants-'));
    run = await runMutants(folder);
  }, 130_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([...Object.keys(EVENT_STORE_MUTANTS), ...Object.keys(STATE_STORE_MUTANTS)])('%s', (mutant) => {
    expect(run.failed.get(mutant)?.length ?? 0).toBeGreaterThan(0);
  });

  it('and nothing else: a sound one passes', () => {
    expect(run.passed).toContain('sound');
    expect(run.failed.get('sound')).toBeUndefined();
  });
});
