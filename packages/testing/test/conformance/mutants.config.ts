import { defineConfig } from 'vitest/config';

const conditions = ['source', 'node', 'import', 'default'];

/** For the one suite that is meant to fail, and that `npm test` must therefore not find by itself. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ['mutants.suite.ts'], pool: 'forks', maxWorkers: 1, execArgv: ['--conditions=source'] },
});
