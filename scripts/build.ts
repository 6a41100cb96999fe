// `npm run build`: the JavaScript and declarations that are published, in `dist/` of each package.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';
import { commandStep } from './steps/command-step.ts';
import { publishedStep } from './steps/published-step.ts';
import { runSteps } from './steps/run-steps.ts';

const packages = readdirSync(join(repositoryRoot, 'packages')).map((name) => join('packages', name));

const built = await runSteps([
  // Without cleaning, the output of a file that was renamed or removed would be published for ever.
  commandStep('clean', 'tsc', '-b', '--clean', ...packages),
  commandStep('build', 'tsc', '-b', ...packages),
  publishedStep('import'),
]);
process.exitCode = built ? 0 : 1;
