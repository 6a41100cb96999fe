import { readRepository } from '../tidy/repository.ts';
import { tidy } from '../tidy.ts';
import { FAILED, PASSED, type Step } from './step.ts';

export function tidyStep(name: string): Step {
  return {
    name,
    async run() {
      const findings = tidy(readRepository());
      for (const { path, line, rule, advice } of findings) console.log(`${path}:${line} ${rule}: ${advice}`);
      return findings.length === 0 ? PASSED : FAILED;
    },
  };
}
