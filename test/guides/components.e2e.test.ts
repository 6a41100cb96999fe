import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ComponentRegistry } from '@event-manager/components';
import { describe, expect, it } from 'vitest';
import { EVENT_SETTINGS } from '../../packages/components/src/configuration/event-settings.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { testComponentEvents } from './components-in-a-test.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const program = 'examples/components/main.ts';
const texts = ['events-for-components.md', 'from-a-program-without-events.md'].map(guide);
const blocks = texts.flatMap(namedBlocks);
const plain = (language: string) =>
  texts.flatMap((text) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!),
  );

/** A reader copies what stands in a guide: it has to be what runs. */
describe('the guides to events for components', () => {
  it.each(blocks.filter(({ language }) => language === 'ts'))(
    'show $file#$region as it is',
    ({ file, region, text }) => {
      expect(text).toBe(regionOf(file, region));
    },
  );

  it('show what the program prints', { timeout: 60_000 }, async () => {
    const { stdout } = await run(process.execPath, ['--conditions=source', join(root, program)]);
    const shown = namedBlocks(texts[0]!).filter(({ language }) => language === 'text');
    expect(stdout).toBe(shown.map(({ text }) => text).join(''));
  });

  it('show nothing that is not run', () => {
    expect([...new Set(texts.flatMap(namelessLanguages))].sort()).toEqual(['bash', 'sh', 'toml']);
  });

  it('show a test that passes', async () => {
    await testComponentEvents();
  });

  it.each(plain('toml'))('show a configuration that can be used: %#', async (toml) => {
    const file = join(temporaryDirectory(), 'app.toml');
    writeFileSync(file, toml);
    await using registry = await ComponentRegistry.configured({ file, environment: {} });
    const names = registry.status().settings.map(({ name }) => name);
    expect(names.length).toBe(toml.split('\n').filter((line) => /^\w+ = /.test(line)).length);
  });

  it('show variables that are known', async () => {
    const script = `${plain('bash').join('\n')}\nenv`;
    const { stdout } = await run('bash', ['-c', script], { env: { PATH: process.env['PATH'] } });
    const environment = Object.fromEntries(stdout.split('\n').map((line) => line.split('=') as [string, string]));
    await using registry = await ComponentRegistry.configured({ environment, stdout: 2 ** 20, onReport: () => {} });
    expect([registry.enabled, registry.status().settings.length]).toEqual([true, 3]);
  });

  it('list every setting with its default, and no other', () => {
    const rows = [...texts[0]!.matchAll(/^\| `([a-z_.]+)` \| `?([^|`]*)`? \| ([^|]+) \|$/gm)];
    const expected = Object.entries(EVENT_SETTINGS).map(([name, { fallback, reason }]) => [
      name,
      shownDefault(fallback),
      reason,
    ]);
    expect(rows.map(([, name, fallback, reason]) => [name, fallback, reason])).toEqual(expected);
  });
});

function shownDefault(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
