import { defineConfig } from 'vitest/config';

// Tests import the packages by name; the `source` condition makes those names mean the TypeScript sources. `import` is not
// among them: workers would apply it to `require` too, and pg requires packages that have a form for each.
const conditions = ['source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    globalSetup: 'test/shared-servers.ts',
    pool: 'forks',
    maxWorkers: 2,
    execArgv: ['--conditions=source'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
