import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { settleConfiguration } from '@event-manager/server';
import { expect, it, onTestFinished } from 'vitest';
import { pages } from './pages/pages.ts';
import { repositoryRoot } from './repository-root.ts';

it.each(pages())('$file is what the code says; `npm run pages` writes it anew', ({ file, text }) => {
  expect(readFileSync(path.join(repositoryRoot, file), 'utf8')).toBe(text);
});

it('shows a file of settings that the service takes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'event-manager-pages-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const page = readFileSync(path.join(repositoryRoot, 'docs/configuration.md'), 'utf8');
  const blocks = [...page.matchAll(/^```toml\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
  expect(blocks).toHaveLength(1);
  const config = path.join(folder, 'settings.toml');
  writeFileSync(config, blocks[0]!);
  const settled = settleConfiguration({ args: ['--config', config], environment: {}, homeDirectory: folder });
  expect(settled.configuration).toMatchObject({ limits: { queueMaxSize: 20_000 }, webhookAllow: expect.any(Array) });
});
