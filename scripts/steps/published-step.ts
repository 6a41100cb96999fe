import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../repository-root.ts';
import { FAILED, PASSED, type Step } from './step.ts';

/** Imports every built package the way an application does: by name, without the `source` condition, from JavaScript. */
export function publishedStep(name: string): Step {
  return {
    name,
    async run() {
      const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', importEach(packageNames())], {
        cwd: repositoryRoot,
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      if (ran.status === 0) return PASSED;
      process.stdout.write(`${ran.stdout}${ran.stderr}`);
      return FAILED;
    },
  };
}

/** A program that imports each of these packages and fails when one exports nothing. */
export function importEach(names: readonly string[]): string {
  return `for (const name of ${JSON.stringify(names)}) {
    const exported = Object.keys(await import(name));
    if (exported.length === 0) throw new Error(name + ' exports nothing');
  }`;
}

export function packageNames(): string[] {
  const folder = join(repositoryRoot, 'packages');
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).name);
}
