import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { pages } from './pages/pages.ts';
import { repositoryRoot } from './repository-root.ts';

it.each(pages())('$file is what the code says; `npm run pages` writes it anew', ({ file, text }) => {
  expect(readFileSync(path.join(repositoryRoot, file), 'utf8')).toBe(text);
});
