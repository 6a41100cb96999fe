import { defineConfig } from 'vitest/config';

const conditions = ['source', 'node', 'import', 'default'];

/** For the suites that are meant to fail, and that `npm test` must therefore not find by themselves. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ['*.suite.ts'], pool: 'forks', maxWorkers: 1, execArgv: ['--conditions=source'] },
});
