// `npm run pages`: writes the pages of docs/ that are made from code. `pages.test.ts` fails while one of them is older than its source.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pages } from './pages/pages.ts';
import { repositoryRoot } from './repository-root.ts';

for (const { file, text } of pages()) writeFileSync(path.join(repositoryRoot, file), text);
