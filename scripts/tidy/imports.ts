import { importsOf } from './import-graph.ts';
import { type Finding, isPackageSource, isTest, packageOf, type SourceFile } from './source-file.ts';

const SCOPE = '@event-manager/';
/** Adapters and sinks: what neighbours core on the other side of its contracts. They know core and nobody else. */
const NEIGHBOURS = new Set([
  'journal',
  'postgres',
  'redis',
  'kafka',
  'level',
  'webhook',
  'realtime',
  'schema',
  'testing',
]);
/** What leaves this machine passes one guard, whatever it is spoken over. */
const SHARES_THE_GUARD = { from: 'realtime', of: 'webhook' };
/** The files that pick sinks, and the adapter. */
const COMPOSITION = ['packages/server/src/compose.ts', 'packages/server/src/pick-adapter.ts'];
/** Test material is not part of any product package. */
const TEST_ONLY = 'testing';

interface Edge {
  readonly file: SourceFile;
  readonly line: number;
  readonly from: string;
  readonly to: string;
}

/** Imports point one way: protocols, operations, core; adapters and sinks point at core. */
export function findMisdirected(files: readonly SourceFile[]): Finding[] {
  const edges = packageEdges(files);
  return [
    ...files.flatMap(foreignImports),
    ...edges.flatMap(({ file, line, from, to }) => {
      const advice = directionAdvice(file.path, from, to);
      return advice === undefined ? [] : [{ path: file.path, line, rule: 'import-direction', advice }];
    }),
    ...cyclesOf(edges),
  ];
}

function directionAdvice(path: string, from: string, to: string): string | undefined {
  if (from === 'core') return 'core imports no package: take what you need by contract';
  if (to === TEST_ONLY) return 'only tests import the testing package';
  if (from === SHARES_THE_GUARD.from && to === SHARES_THE_GUARD.of) return undefined;
  if (NEIGHBOURS.has(from) && to !== 'core') return `${from} imports only ${SCOPE}core`;
  if (from === 'server' && NEIGHBOURS.has(to) && !COMPOSITION.includes(path))
    return `only ${COMPOSITION.join(' and ')} pick adapters and sinks`;
  return undefined;
}

function packageEdges(files: readonly SourceFile[]): Edge[] {
  return files
    .filter((file) => isPackageSource(file.path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith(SCOPE))
        .map(({ specifier, line }) => {
          const to = specifier.slice(SCOPE.length).split('/')[0]!;
          return { file, line, from: packageOf(file.path)!, to };
        }),
    );
}

function foreignImports(file: SourceFile): Finding[] {
  const own = packageOf(file.path);
  return importsOf(file).flatMap(({ specifier, line, target }) => {
    const finding = (advice: string) => [{ path: file.path, line, rule: 'import-direction', advice }];
    if (target !== undefined && own !== undefined && packageOf(target) !== own) {
      return finding('import other packages by name, not by path');
    }
    if (target !== undefined && isTest(target) && isPackageSource(file.path))
      return finding('product code does not import tests');
    const foreign = target === undefined && !specifier.startsWith('node:') && !specifier.startsWith(SCOPE);
    if (foreign && own === 'core' && isPackageSource(file.path)) return finding('core has no runtime dependency');
    return [];
  });
}

function cyclesOf(edges: readonly Edge[]): Finding[] {
  const next = Map.groupBy(edges, (edge) => edge.from);
  const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
    (next.get(from) ?? []).some(({ to }) => {
      if (to === goal) return true;
      if (seen.has(to)) return false;
      seen.add(to);
      return reaches(to, goal, seen);
    });
  return edges
    .filter(({ from, to }) => from !== to && reaches(to, from))
    .map(({ file, line, from, to }) => {
      const advice = `${from} and ${to} import each other: move what both need to core`;
      return { path: file.path, line, rule: 'package-cycle', advice };
    });
}
