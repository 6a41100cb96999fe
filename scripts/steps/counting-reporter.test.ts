import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { repositoryRoot } from '../repository-root.ts';

/** What a real run of vitest over these files is counted as. */
async function countsOf(files: Record<string, string>): Promise<unknown> {
  const dir = mkdtempSync(join(tmpdir(), 'event-manager-reporter-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const counts = join(dir, 'counts.json');
  const args = ['run', '--root', dir, '--globals', '--reporter', join(import.meta.dirname, 'counting-reporter.ts')];
  const child = spawn(process.execPath, [join(repositoryRoot, 'node_modules/vitest/vitest.mjs'), ...args], {
    env: { ...process.env, TEST_COUNTS_FILE: counts },
    stdio: 'ignore',
  });
  await once(child, 'exit');
  return JSON.parse(readFileSync(counts, 'utf8'));
}

it('counts what passed and failed, files that cannot be loaded, errors nobody caught, and skips with their reasons', async () => {
  const counts = await countsOf({
    'mixed.test.js': `
      it('passes', () => {});
      it('fails', () => expect(1).toBe(2));
      it('waits', ({ skip }) => skip('no server here'));
      it.skipIf(true)('needs root', () => {});`,
    'broken.test.js': "import './missing.js';",
    'escaping.test.js': "it('passes', () => void Promise.reject(new TypeError('escaped')));",
  });
  expect(counts).toMatchObject({ passed: 2, failed: 3 });
  const { skipped } = counts as { skipped: { name: string; reason: string }[] };
  expect(skipped.map(({ reason }) => reason)).toEqual([
    'no server here',
    'the condition stated in its name does not hold here',
  ]);
  expect(skipped[1]!.name).toMatch(/mixed\.test\.js > needs root$/);
});
