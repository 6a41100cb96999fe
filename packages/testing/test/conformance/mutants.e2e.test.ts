import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_STORE_MUTANTS } from './event-store-mutants.ts';
import { runSuite, type SuiteRun } from './run-suite.ts';
import { STATE_STORE_MUTANTS } from './state-store-mutants.ts';

describe('the conformance suites catch an adapter that', () => {
  let folder: string;
  let run: SuiteRun;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mutants-'));
    run = await runSuite('mutants.suite.ts', folder);
  }, 130_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([...Object.keys(EVENT_STORE_MUTANTS), ...Object.keys(STATE_STORE_MUTANTS)])('%s', (mutant) => {
    expect(run.failed.get(mutant)?.length ?? 0).toBeGreaterThan(0);
  });

  it('and nothing else: a sound one passes', () => {
    expect(run.passed.get('sound')!.length).toBeGreaterThan(0);
    expect(run.failed.get('sound')).toBeUndefined();
  });
});
