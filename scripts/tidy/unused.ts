import { importsOf, pathsNamedBy } from './import-graph.ts';
import { type Finding, isPackageSource, isTest, type SourceFile } from './source-file.ts';

/** Files that nobody imports, starts or names as an entry point: a reader would believe they matter. */
export function findUnused(files: readonly SourceFile[], manifests: readonly string[]): Finding[] {
  const byProduct = new Set<string>();
  const byTests = new Set<string>();
  for (const file of files) {
    const reached = isTest(file.path) ? byTests : byProduct;
    for (const { target } of importsOf(file)) if (target !== undefined && target !== file.path) reached.add(target);
    for (const named of pathsNamedBy(file)) if (named !== file.path) reached.add(named);
  }
  return files
    .filter(({ path }) => !isTest(path) && !isEntry(path, manifests) && !byProduct.has(path))
    .filter(({ path }) => isPackageSource(path) || !byTests.has(path))
    .map(({ path }) => {
      const advice = byTests.has(path)
        ? 'only tests import it: move it to the tests or use it'
        : 'nobody imports it: use it or remove it';
      return { path, line: 1, rule: 'unused-file', advice };
    });
}

function isEntry(path: string, manifests: readonly string[]): boolean {
  if (path === 'vitest.config.ts' || /^packages\/[^/]+\/src\/index\.ts$/.test(path)) return true;
  const withinPackage = path.replace(/^packages\/[^/]+\//, './');
  // A command names its file beside it.
  const besideCommand = path.replace(/^packages\/[^/]+\//, '../');
  const names = [`"${withinPackage}"`, `'${besideCommand}'`];
  return manifests.some((manifest) => manifest.includes(path) || names.some((name) => manifest.includes(name)));
}
