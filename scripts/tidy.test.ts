import { describe, expect, it } from 'vitest';
import { tidy } from './tidy.ts';

const lines = (count: number) => '// A line.\n'.repeat(count);
const body = (count: number) => `${'  work();\n'.repeat(count)}`;

/** Findings as `path:line rule`, of a repository that holds only these files, each an entry point unless said otherwise. */
function findingsOf(sources: Record<string, string>, entries: readonly string[] = Object.keys(sources)): string[] {
  const findings = tidy({ sources: new Map(Object.entries(sources)), manifests: [entries.join(' ')] });
  return findings.map(({ path, line, rule }) => `${path}:${line} ${rule}`);
}

/** What the rules say about one file of core. */
function inCore(text: string): string[] {
  return findingsOf({ 'packages/core/src/a.ts': text }).map((finding) =>
    finding.replace('packages/core/src/a.ts:', ''),
  );
}

describe('sizes', () => {
  it('refuses a file of more than 500 lines and accepts 500', () => {
    expect(inCore(lines(500))).toEqual([]);
    expect(inCore(lines(501))).toEqual(['500 file-size']);
  });

  it('refuses a function of more than 70 lines, of every form', () => {
    expect(inCore(`export function f() {\n${body(68)}}\n`)).toEqual([]);
    expect(inCore(`export function f() {\n${body(69)}}\n`)).toEqual(['1 function-size']);
    expect(inCore(`export const f = () => {\n${body(69)}};\n`)).toEqual(['1 function-size']);
    expect(inCore(`export class A {\n  f() {\n${body(69)}  }\n}\n`)).toEqual(['2 function-size']);
  });

  it('lets a describe block be long, because it is a folder of tests', () => {
    const path = 'packages/testing/src/suite.ts';
    expect(findingsOf({ [path]: `describe('x', () => {\n${body(90)}});\n` })).toEqual([]);
  });

  it('refuses a package of which more than a tenth of the files is longer than 300 lines', () => {
    const files = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`packages/core/src/a${i}.ts`, lines(i < 2 ? 301 : 10)]),
    );
    expect(findingsOf(files)).toEqual(['packages/core/src/a0.ts:1 file-size']);
    expect(findingsOf({ ...files, 'packages/core/src/a0.ts': lines(10) })).toEqual([]);
  });

  it('refuses a contract of more than 150 lines or 8 methods', () => {
    const path = 'packages/core/src/contracts/a.ts';
    const methods = (count: number) => Array.from({ length: count }, (_, i) => `  m${i}(): void;\n`).join('');
    expect(findingsOf({ [path]: lines(151) })).toEqual([`${path}:150 contract-size`]);
    expect(findingsOf({ [path]: `export interface A {\n${methods(8)}}\n` })).toEqual([]);
    expect(findingsOf({ [path]: `export interface A {\n${methods(9)}}\n` })).toEqual([`${path}:1 contract-size`]);
  });
});

describe('words', () => {
  it.each([
    'export const transport = 1;',
    'export function sendMessage() {}',
    'export interface MessageQueue {}',
    'export const f = (jobs: number) => jobs;',
    'export const { a: channel } = x;',
    'export class QueueManager {}',
    'export const parseHelper = 1;',
  ])('refuses %s', (text) => {
    expect(inCore(text)).toEqual(['1 word']);
  });

  it.each([
    'export class EventManagerError {}',
    'export const f = (message: string) => new TypeError(message);',
    'export const replayJob = 1;',
    'export const f = (x: Foreign) => x.transport;',
  ])('accepts %s', (text) => {
    expect(inCore(text)).toEqual([]);
  });

  it('refuses banned words and dumping grounds in paths, and names that are not kebab-case', () => {
    expect(findingsOf({ 'packages/core/src/helpers/a.ts': '' })).toEqual(['packages/core/src/helpers/a.ts:1 word']);
    expect(findingsOf({ 'packages/core/src/types.ts': '' })).toEqual(['packages/core/src/types.ts:1 word']);
    expect(findingsOf({ 'packages/core/src/laneQueue.ts': '' })).toEqual([
      'packages/core/src/laneQueue.ts:1 file-name',
    ]);
  });

  it.each(['interface IStore {}', 'class AbstractStore {}', 'class StoreImpl {}'])('refuses %s', (text) => {
    expect(inCore(text)).toEqual(['1 type-name']);
  });
});

describe('imports', () => {
  it.each([
    ['core', '@event-manager/journal'],
    ['core', 'undici'],
    ['journal', '@event-manager/webhook'],
    ['webhook', '@event-manager/server'],
    ['webhook', '@event-manager/realtime'],
    ['realtime', '@event-manager/journal'],
    ['server', '@event-manager/journal'],
    ['server', '@event-manager/testing'],
  ])('refuses that %s imports %s', (from, specifier) => {
    expect(findingsOf({ [`packages/${from}/src/a.ts`]: `import '${specifier}';` })).toEqual([
      `packages/${from}/src/a.ts:1 import-direction`,
    ]);
  });

  it('lets adapters import core, and compose.ts and pick-adapter.ts pick', () => {
    const sources = {
      'packages/journal/src/a.ts': "import '@event-manager/core';",
      'packages/server/src/compose.ts': "import '@event-manager/webhook';",
      'packages/server/src/pick-adapter.ts': "import '@event-manager/journal';",
      'packages/realtime/src/a.ts': "import '@event-manager/webhook';",
    };
    expect(findingsOf(sources)).toEqual([]);
  });

  it('refuses to reach into another package by path, and product code that imports a test', () => {
    const sources = {
      'packages/core/src/a.ts': "import '../test/b.ts';",
      'packages/core/test/b.ts': '',
      'packages/server/src/a.ts': "import '../../core/src/a.ts';",
    };
    expect(findingsOf(sources)).toEqual([
      'packages/core/src/a.ts:1 import-direction',
      'packages/server/src/a.ts:1 import-direction',
    ]);
  });

  it('refuses packages that import each other, also around a corner', () => {
    const sources = {
      'packages/client/src/a.ts': "import '@event-manager/cli';",
      'packages/cli/src/a.ts': "import '@event-manager/console';",
      'packages/console/src/a.ts': "import '@event-manager/client';",
    };
    expect(findingsOf(sources)).toEqual([
      'packages/cli/src/a.ts:1 package-cycle',
      'packages/client/src/a.ts:1 package-cycle',
      'packages/console/src/a.ts:1 package-cycle',
    ]);
  });
});

describe('unused files', () => {
  it('refuses a file that nobody imports, and one that only tests import', () => {
    const sources = {
      'packages/core/src/index.ts': "export * from './used.ts';",
      'packages/core/src/used.ts': '',
      'packages/core/src/tested.ts': '',
      'packages/core/src/forgotten.ts': '',
      'packages/core/test/tested.test.ts': "import '../src/tested.ts';",
    };
    expect(findingsOf(sources, [])).toEqual([
      'packages/core/src/forgotten.ts:1 unused-file',
      'packages/core/src/tested.ts:1 unused-file',
    ]);
  });

  it('knows entry points: named in a package.json, started by path, imported dynamically', () => {
    const sources = {
      'scripts/run-me.ts':
        "spawn('packages/journal/src/worker.ts'); await import('./late.ts'); new URL('./near.ts', x);",
      'scripts/late.ts': '',
      'scripts/near.ts': '',
      'packages/journal/src/worker.ts': '',
    };
    expect(findingsOf(sources, ['"node scripts/run-me.ts"'])).toEqual([]);
  });
});

describe('clock and chance', () => {
  it.each([
    'Date.now();',
    'new Date();',
    'performance.now();',
    'setTimeout(f, 1);',
    'globalThis.setImmediate(f);',
    'AbortSignal.timeout(1);',
    'Math.random();',
    'crypto.randomUUID();',
    'randomBytes(4);',
  ])('refuses %s', (text) => {
    expect(inCore(text)).toEqual(['1 clock-or-chance']);
  });

  it('allows them in the runtime folder, in tests, and in comments and text', () => {
    const sources = {
      'packages/core/src/runtime/clock.ts': 'Date.now();',
      'packages/core/test/a.test.ts': 'Date.now();',
      'packages/core/src/a.ts':
        "// Date.now() is banned.\nexport const text = 'Date.now()';\nexport const day = new Date(0);",
    };
    expect(findingsOf(sources)).toEqual([]);
  });
});

describe('leftovers', () => {
  it.each([
    ["throw new Error('x');", 'bare-error'],
    ["console.log('x');", 'console'],
    // The marker is spelled apart, so that this file does not trip over itself.
    [`// ${'TO'}DO later`, 'marker'],
    [`/* ${'FIX'}ME */`, 'marker'],
    [`// ${'-'.repeat(20)}`, 'banner'],
    ['// Done \u{1F389}', 'emoji'],
  ])('refuses %s', (text, rule) => {
    expect(inCore(text)).toEqual([`1 ${rule}`]);
  });

  it('lets entry files print and programming mistakes be TypeErrors', () => {
    expect(findingsOf({ 'packages/server/src/main.ts': "console.log('x');" })).toEqual([]);
    expect(inCore("throw new TypeError('x');")).toEqual([]);
  });

  it('refuses focused tests and skips without a reason', () => {
    const text = "it.only('x', f);\ndescribe.skip('y', f);\nit('z', ({ skip }) => skip('no server'));\n";
    expect(findingsOf({ 'packages/core/test/a.test.ts': text })).toEqual([
      'packages/core/test/a.test.ts:1 focused-test',
      'packages/core/test/a.test.ts:2 skipped-test',
    ]);
  });
});
