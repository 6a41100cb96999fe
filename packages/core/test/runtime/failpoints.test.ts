import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CORE_FAILPOINTS } from '../../src/runtime/failpoints.ts';

it('every failpoint of the source is listed, and every listed one is in the source', () => {
  const source = join(import.meta.dirname, '../../src');
  const named = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => [...readFileSync(join(source, path), 'utf8').matchAll(/failpoint\('([^']+)'\)/g)])
    .map(([, name]) => name!);
  expect(named.sort()).toEqual([...CORE_FAILPOINTS].sort());
});
