import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journal } from '@event-manager/journal';
import { expect, it } from 'vitest';
import { openingAdvice } from '../src/opening-advice.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

it('says what is wrong with a data directory that another start would find as it is, and not where it is', async () => {
  const file = join(await temporaryDirectory(), 'taken');
  writeFileSync(file, '');
  const opening = journal({ directory: file }).open();
  const words =
    'The store stopped: opening the journal failed (EEXIST). The data directory is a file: name a directory.';
  await expect(opening).rejects.toMatchObject({ code: 'store_failed', message: words });
  const below = journal({ directory: join(file, 'data') }).open();
  await expect(below).rejects.toThrow(/ENOTDIR\)\. A part of the path of the data directory is no directory/);
  expect(openingAdvice(Object.assign(new Error('no'), { code: 'EACCES' }))).toMatch(/This user may not write/);
});

it('leaves it to a restart to tell what is wrong otherwise', () => {
  expect(openingAdvice(Object.assign(new Error('no'), { code: 'EIO' }))).toBeUndefined();
  expect(openingAdvice(undefined)).toBeUndefined();
});
