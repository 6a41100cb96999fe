import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repositoryRoot } from '../repository-root.ts';
import { FAILED, PASSED, type Step } from './step.ts';

/** A check that is a program of this repository and says itself what it found; it passes when the program ends with 0. */
export function programStep(name: string, file: string, ...args: readonly string[]): Step {
  return {
    name,
    async run() {
      const child = spawn(process.execPath, ['--conditions=source', file, ...args], {
        cwd: repositoryRoot,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      const [exitCode] = await once(child, 'exit');
      return exitCode === 0 ? PASSED : FAILED;
    },
  };
}
