import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './e2e/support/temporary-directory.ts';
import { guide, namedBlocks, regionOf } from './guides/regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Code blocks of one language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);
}

describe('the README', () => {
  it('shows the first programs as they are tested', () => {
    const [receive, publish] = ['receive', 'publish'].map((name) => {
      const source = readFileSync(join(root, `examples/first-service/${name}.ts`), 'utf8');
      return `// ${name}.ts\n${source.replaceAll(/^\/\/ #(?:region|endregion).*\n/gm, '')}`;
    });
    expect(blocks('ts').slice(0, 2)).toEqual([receive, publish]);
  });

  it('shows the quick start as it runs, and what it prints', { timeout: 60_000 }, async () => {
    const source = readFileSync(join(root, 'examples/quick-start/main.ts'), 'utf8');
    expect(blocks('ts')[2]).toBe(source);
    const directory = temporaryDirectory();
    const main = join(root, 'examples/quick-start/main.ts');
    const { stdout } = await run(process.execPath, ['--conditions=source', main], { cwd: directory });
    expect(readme).toContain(`\`\`\`text\n${stdout}\`\`\``);
  });

  it('shows the bus as its guide does, which runs it', () => {
    const shown = regionOf('examples/embedded-bus/main.ts', 'start').trimEnd();
    expect(blocks('ts')[3]).toBe(`${shown}\n`);
    const [printed] = namedBlocks(guide('embedded-bus.md')).filter(({ language }) => language === 'text');
    expect(readme).toContain(`\`\`\`text\n${printed!.text}\`\`\``);
  });

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, path]) => path!);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('names only commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm run ([\w-]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

/** If a line of the tour did not work, the first five minutes of a newcomer would be spent on our mistake. */
describe('the tour', () => {
  let service: ServiceProcess;
  const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-tour-'));
  beforeAll(async () => {
    service = await ServiceProcess.start({ dataDir, port: 0 });
  });
  afterAll(async () => {
    await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const commands = blocks('sh')
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.startsWith('curl ') && !line.includes('-N'));

  it('has commands', () => expect(commands.length).toBeGreaterThan(3));

  it.each(commands)('%s', { timeout: 30_000 }, async (line) => {
    const here = line.replaceAll('http://127.0.0.1:3004', service.url);
    const { stdout } = await run('bash', ['-c', here.replace('curl -s', "curl -s -w '\\n%{http_code}'")]);
    const [status, ...body] = stdout.trimEnd().split('\n').reverse();
    expect(body.length).toBeGreaterThan(0);
    expect(Number(status)).toBeLessThan(line.includes('# refused') ? 500 : 300);
    if (line.includes('# refused')) expect(JSON.parse(body[0]!).code).toMatch(/^[a-z_]+$/);
  });
});
