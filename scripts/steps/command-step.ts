import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { repositoryRoot } from '../repository-root.ts';
import { FAILED, PASSED, type Step } from './step.ts';

/** A check that is a program of `node_modules/.bin`. Its output is shown only when it fails: what passes needs no reading. */
export function commandStep(name: string, program: string, ...args: readonly string[]): Step {
  return {
    name,
    async run() {
      const path = [join(repositoryRoot, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);
      const ran = spawnSync(program, args, {
        cwd: repositoryRoot,
        encoding: 'utf8',
        env: { ...process.env, PATH: path },
        shell: process.platform === 'win32',
        maxBuffer: 64 * 1024 * 1024,
      });
      if (ran.status === 0) return PASSED;
      process.stdout.write(`${ran.stdout ?? ''}${ran.stderr ?? ''}${ran.error?.message ?? ''}\n`);
      return FAILED;
    },
  };
}
