import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Names of tests, by the adapter they ran on. */
export interface SuiteRun {
  readonly failed: ReadonlyMap<string, readonly string[]>;
  readonly passed: ReadonlyMap<string, readonly string[]>;
}

/** Runs a suite that is meant to fail in a process of its own; `folder` takes its report. */
export async function runSuite(file: string, folder: string): Promise<SuiteRun> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const reportPath = join(folder, 'report.json');
  const config = join(import.meta.dirname, 'mutants.config.ts');
  const args = [vitest, 'run', file, '--config', config, '--reporter=json', `--outputFile=${reportPath}`];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: 'ignore', timeout: 120_000 });
  await once(child, 'exit');
  const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const named = (wanted: string): Map<string, string[]> =>
    Map.groupBy(
      results.filter(({ status }) => status === wanted).map(({ fullName }) => fullName),
      (fullName) => /<(.*?)>/.exec(fullName)![1]!,
    );
  return { failed: named('failed'), passed: named('passed') };
}
