import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { packPackages } from '../../scripts/pack-packages.ts';
import { importEach, packageNames } from '../../scripts/steps/published-step.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const NODE_24 = '24.21.0';
/** Programs of the README and the guides. */
const PROGRAMS = ['quick-start/main', 'first-service/publish', 'first-service/receive', 'first-service/either'];

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const dev = (name: string) => `${name}@${manifest.devDependencies[name]}`;

/** Nobody who installs the packages has the repository: what only works inside it is broken for all of them. */
describe('the packages, packed and installed into an empty project', () => {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-packed-'));
  const project = join(directory, 'project');
  /** The folder of each Node that everything runs on. */
  const nodes = new Map<string, string>();

  beforeAll(async () => {
    const tarballs = await packPackages(directory);
    makeProject(project);
    const others = [dev('typescript'), dev('@types/node')];
    await npm(project, 'install', '--save-exact', ...tarballs, ...others);
    nodes.set('26', dirname(process.execPath));
    nodes.set('24', await nodeFrom(directory));
  }, 280_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('carry their licence', async () => {
    for (const name of packageNames()) await access(join(project, 'node_modules', name, 'LICENSE'));
  });

  it('type-check what the README and the guides show', { timeout: 60_000 }, async () => {
    const { stdout } = await run(join(project, 'node_modules/.bin/tsc'), ['--noEmit'], { cwd: project }).catch(
      (failed: { stdout: string }) => failed,
    );
    expect(stdout).toBe('');
  });

  describe.each(['24', '26'])('on Node %s', (major) => {
    const env = () => ({ PATH: [nodes.get(major), process.env['PATH']].join(delimiter), HOME: directory });
    const node = async (...args: string[]) => {
      const { stdout } = await run('node', args, { cwd: project, env: env(), timeout: 60_000 });
      return stdout;
    };

    it('is that Node', async () => expect(await node('--version')).toMatch(new RegExp(`^v${major}\\.`)));

    it('import each other by name', async () => {
      expect(await node('--input-type=module', '--eval', importEach(packageNames().filter(isForAll)))).toBe('');
    });

    it('run the quick start', async () => {
      expect(await node('quick-start/main.ts')).toBe(
        'stored true, duplicate false\norder.created 12.5 (attempt 1)\norder.created 12.5 (attempt 2)\n',
      );
      rmSync(join(project, 'data'), { recursive: true, force: true });
    });

    it('run the service by its command, and the first programs with it', { timeout: 60_000 }, async () => {
      const url = await serve(project, { ...env(), EVENT_MANAGER_METRICS_ENABLED: 'false' });
      const programs = { env: { ...env(), EVENT_MANAGER_URL: url }, cwd: project, timeout: 30_000 };
      expect((await run('node', ['first-service/either.ts'], programs)).stdout).toBe('paid by card\n');
      expect((await run('node', ['first-service/publish.ts'], programs)).stdout).toBe(
        'stored order.created, duplicate false\n',
      );
      const { stdout } = await run('npx', ['--no-install', 'event-manager', 'events', 'list', '--json'], programs);
      expect(stdout).toContain('order.created');
    });
  });
});

/** Test material needs a test runner. */
function isForAll(name: string): boolean {
  return name !== '@event-manager/testing';
}

function makeProject(project: string): void {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }\n');
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, types: ['node'], skipLibCheck: false };
  const lib = ['es2024', 'esnext.disposable'];
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...compilerOptions, lib } }));
  for (const program of PROGRAMS) {
    mkdirSync(join(project, dirname(program)), { recursive: true });
    copyFileSync(join(root, `examples/${program}.ts`), join(project, `${program}.ts`));
  }
}

/** A Node of another version is a package, too. */
async function nodeFrom(directory: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(directory, 'node-24');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await npm(folder, 'install', '--ignore-scripts', `${name}@${NODE_24}`);
  return join(folder, 'node_modules', name, 'bin');
}

function npm(cwd: string, ...args: string[]): Promise<{ stdout: string }> {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  return run('npm', [...args, ...quiet], { cwd, timeout: 240_000, maxBuffer: 64 << 20 });
}

/** Starts the service as somebody does who installed it, on any free port, and resolves with its address. */
async function serve(project: string, env: NodeJS.ProcessEnv): Promise<string> {
  const args = ['--no-install', 'event-manager', 'serve', '--port', '0', '--data-dir', join(project, 'data')];
  const child = spawn('npx', args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let complaint = '';
  child.stderr.on('data', (text) => (complaint += String(text)));
  onTestFinished(async () => {
    // npx stands before the service: the signal has to reach both.
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'exit');
    rmSync(join(project, 'data'), { recursive: true, force: true });
  });
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
    if (msg === 'listening' && url !== undefined) return url;
  }
  throw new TypeError(`The service did not start: ${complaint}`);
}
