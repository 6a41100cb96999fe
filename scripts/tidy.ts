// What formatter, linter and compiler cannot see: the shape of the house. Each rule lives in `tidy/`; `tidy.test.ts` shows each biting.
import { findChance } from './tidy/chance.ts';
import { findMisdirected } from './tidy/imports.ts';
import { findLeftovers } from './tidy/leftovers.ts';
import type { RepositoryText } from './tidy/repository.ts';
import { findOversized } from './tidy/sizes.ts';
import { type Finding, parseSource } from './tidy/source-file.ts';
import { findUnused } from './tidy/unused.ts';
import { findBannedWords } from './tidy/words.ts';

export function tidy({ sources, manifests }: RepositoryText): Finding[] {
  const files = [...sources].map(([path, text]) => parseSource(path, text));
  const findings = [
    findOversized(files),
    findBannedWords(files),
    findMisdirected(files),
    findUnused(files, manifests),
    findChance(files),
    findLeftovers(files),
  ].flat();
  return findings.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
}
