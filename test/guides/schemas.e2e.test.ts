import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const text = guide('schemas.md');
const blocks = namedBlocks(text);
const PROGRAMS = [
  'examples/schemas/json-schema/main.ts',
  'examples/schemas/typed/main.ts',
  'examples/schemas/standard-schema/main.ts',
  'examples/schemas/json-schema-types/main.ts',
];
const sources = blocks.filter(({ language }) => language === 'ts');

/** A reader copies what stands in a guide: it has to be what runs. */
describe('the guide to schemas', () => {
  it.each(sources)('shows $file#$region as it is', ({ file, region, text }) => {
    expect(text).toBe(regionOf(file, region));
  });

  it('shows no code that is not run', () => {
    expect([...new Set(sources.map(({ file }) => file))]).toEqual(PROGRAMS);
    expect(namelessLanguages(text)).toEqual(['sh']);
  });

  it.each(PROGRAMS)('shows what %s prints', { timeout: 60_000 }, async (file) => {
    const { stdout } = await run(process.execPath, ['--conditions=source', join(root, file)], {
      cwd: temporaryDirectory(),
    });
    const shown = blocks.filter((block) => block.language === 'text' && block.file === file);
    const printed = shown.map((block) => block.text).join('');
    expect(stdout).toBe(printed === '' ? '12.50\npaid at noon\n' : printed);
  });
});

describe('its requests', () => {
  let service: ServiceProcess;
  const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-guide-'));
  beforeAll(async () => {
    service = await ServiceProcess.start({ dataDir, port: 0 });
  });
  afterAll(async () => {
    await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const commands = text.split('\n').filter((line) => line.startsWith('curl '));

  it.each(commands)('%s', { timeout: 30_000 }, async (line) => {
    const here = line
      .replaceAll('http://127.0.0.1:3004', service.url)
      .replace('curl -s', "curl -s -w '\\n%{http_code}'");
    const { stdout } = await run('bash', ['-c', here]);
    const [status, body] = stdout.trimEnd().split('\n').reverse();
    if (line.includes('# refused')) {
      expect(Number(status)).toBe(422);
      expect(JSON.parse(body!)).toMatchObject({ code: 'schema_violation', pointer: '/payload/total' });
    } else {
      expect(Number(status)).toBeLessThan(300);
    }
  });

  it('have shown what was refused', async () => {
    const { counts } = (await (await fetch(`${service.url}/rejections`)).json()) as { counts: unknown };
    expect(counts).toEqual([{ code: 'schema_violation', topic: 'order/created', count: 1 }]);
  });
});
