import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSuite, type SuiteRun } from './run-suite.ts';

/** The mistakes that can be planted in the queue, with the test that is there to catch each of them. */
const CAUGHT_BY = {
  'dead-letter-not-atomic': 'commits a settlement and its dead letter together killed at every checkpoint.after-commit',
  'window-lost-at-restart': 'loses nothing that was under way or settled but not yet durable',
};

describe('the conformance suite of the queue catches an engine with the planted bug', () => {
  let folder: string;
  let run: SuiteRun;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'queue-mutants-'));
    run = await runSuite('local-queue-planted.suite.ts', folder);
  }, 130_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(Object.entries(CAUGHT_BY))('%s, by "%s"', (bug, test) => {
    for (const mode of ['open', 'reopened']) {
      expect(run.failed.get(bug)).toContain(`local queue on <${bug}>, ${mode} ${test}`);
    }
  });

  it('and nothing else: a sound one passes', () => {
    expect(run.passed.get('sound')!.length).toBeGreaterThan(0);
    expect(run.failed.get('sound')).toBeUndefined();
  });
});
