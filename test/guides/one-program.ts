import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

export interface GuideOfOneProgram {
  /** In `docs/guides`. */
  readonly name: string;
  readonly program: string;
  /** Files that it loads and that the guide shows, too. */
  readonly modules?: readonly string[];
  /** Languages of the blocks that are not of the program. */
  readonly others: readonly string[];
}

/** Whoever types what a guide shows has to get what it says. */
export function holdAgainstProgram({ name, program, modules = [], others }: GuideOfOneProgram): void {
  const text = guide(name);
  const blocks = namedBlocks(text);
  const ofLanguage = (wanted: string) => blocks.filter(({ language }) => language === wanted);

  it.each(ofLanguage('ts'))('shows $file#$region as it is', ({ file, region, text: shown }) => {
    expect([program, ...modules]).toContain(file);
    expect(shown).toBe(regionOf(file, region));
  });

  it('shows what the program prints, and nothing that is not run', { timeout: 60_000 }, async () => {
    const { stdout } = await run(process.execPath, ['--conditions=source', join(root, program)]);
    expect(stdout).toBe(
      ofLanguage('text')
        .filter(({ file }) => file === program)
        .map((block) => block.text)
        .join(''),
    );
    expect(new Set(namelessLanguages(text))).toEqual(new Set(others));
  });
}

/** Makes the one request that a guide shows of a service, after what has to be there was made, and answers with its answer. */
export async function makeRequestOf(
  name: string,
  prepare: (url: string, command: string) => Promise<string> = async (_url, command) => command,
): Promise<unknown> {
  const service = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0 });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const [command] = guide(name)
    .split('\n')
    .filter((line) => line.startsWith('curl '));
  const asked = await prepare(service.url, command!.replace('http://127.0.0.1:3004', service.url));
  return JSON.parse((await run('bash', ['-c', asked])).stdout);
}
