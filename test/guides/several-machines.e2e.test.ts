import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createTestDatabase, missingServer, sharedServer } from '@event-manager/testing/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const text = guide('several-machines.md');
const missing = (await missingServer('postgres')) ?? (await missingServer('redis'));

it.each(namedBlocks(text))('shows $file#$region as it is', ({ file, region, text: shown }) => {
  expect(shown).toBe(regionOf(file, region));
});

it('begins with the servers that compose.yaml has', () => {
  const compose = readFileSync(join(root, 'compose.yaml'), 'utf8');
  expect(compose).toMatch(/^ {2}postgres:[\s\S]*POSTGRES_PASSWORD:-event-manager[\s\S]*127\.0\.0\.1:5432:5432/m);
  expect(compose).toMatch(/^ {2}redis:[\s\S]*127\.0\.0\.1:6379:6379/m);
});

/** Whoever types what a guide shows has to get what it says. */
describe.skipIf(missing !== undefined)(
  `every command works, in the order of the guide${missing ? ` (${missing})` : ''}`,
  () => {
    it('from one process to several machines', { timeout: 180_000 }, async () => {
      const reader = await Reader.begin();
      await reader.types('npx event-manager serve --data-dir ./data', 'One process');
      await reader.types('npx event-manager subscriptions create', 'One process');
      await reader.types('npx event-manager publish order.created', 'One process');
      await reader.types('export EVENT_MANAGER_DATABASE_URL=', 'A database');
      expect(await reader.types('npx event-manager doctor', 'A database')).toMatch(
        /PostgreSQL \d+.*tables will be made/,
      );
      await reader.stopAll('SIGINT');
      expect(await reader.types('npx event-manager store move', 'Move the journal')).toMatch(/moved \d+ events/);
      await reader.types('npx event-manager serve --port 3005', 'Two instances');
      await reader.types('npx event-manager serve --port 3006', 'Two instances');
      await reader.types('node examples/several-machines/balancer.ts', 'A balancer');
      expect(await reader.types('npx event-manager subscriptions pull', 'A balancer')).toMatch(/order\.created/);
      await reader.types('npx event-manager publish order.paid', 'A balancer');
      await reader.types('export EVENT_MANAGER_REDIS_URL=', 'Redis beside it');
      for (const port of ['3005', '3006']) {
        await reader.stop(port, 'SIGTERM');
        await reader.types(`npx event-manager serve --port ${port}`, 'Redis beside it');
      }
      await reader.types('kill -9 PID', 'When one dies');
      await reader.types('npx event-manager publish order.shipped', 'When one dies');
      expect(await reader.pullsUntil(/order\.shipped/)).toMatch(/order\.paid/);
      // What is not run here needs Docker.
      expect(reader.untyped).toEqual(['docker compose up --detach --wait']);
    });
  },
);

/** Sits before a terminal with the guide, in a folder of his own; ports and addresses are others, so that nobody meets. */
class Reader {
  readonly #folder = temporaryDirectory();
  readonly #environment: Record<string, string>;
  readonly #replacements: readonly (readonly [string, string])[];
  readonly #running = new Map<string, ChildProcess>();
  readonly #left: { readonly section: string; readonly line: string }[];

  private constructor(replacements: readonly (readonly [string, string])[], url: string) {
    this.#replacements = replacements;
    this.#left = commandsOf(text);
    const npx = join(this.#folder, 'npx');
    const bin = join(root, 'packages/cli/bin/event-manager.mjs');
    writeFileSync(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${bin}" "$@"\n`);
    chmodSync(npx, 0o755);
    const path = `${this.#folder}:${dirname(process.execPath)}:${process.env['PATH']}`;
    const own = {
      EVENT_MANAGER_PORT: new URL(url).port,
      EVENT_MANAGER_URL: url,
      EVENT_MANAGER_METRICS_ENABLED: 'false',
    };
    this.#environment = { PATH: path, HOME: this.#folder, ...own };
  }

  static async begin(): Promise<Reader> {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const redis = await sharedServer('redis');
    const ports = await Promise.all(['3004', '3005', '3006'].map(async (port) => [port, await freePort()] as const));
    const replacements = [
      ['postgres://postgres:event-manager@127.0.0.1:5432/postgres', database.url],
      ['redis://127.0.0.1:6379', 'url' in redis ? redis.url : ''],
      ['examples/several-machines/balancer.ts', join(root, 'examples/several-machines/balancer.ts')],
      ...ports,
    ] as const;
    const reader = new Reader(replacements, `http://127.0.0.1:${ports[0]![1]}`);
    onTestFinished(() => reader.stopAll('SIGKILL'));
    return reader;
  }

  /** Commands that nobody has typed. */
  get untyped(): readonly string[] {
    return this.#left.map(({ line }) => line);
  }

  /** Types the line of the section that begins so, and resolves with what it printed; a service is left running. */
  async types(beginning: string, section: string): Promise<string> {
    const at = this.#left.findIndex((command) => command.section === section && command.line.startsWith(beginning));
    if (at < 0) throw new TypeError(`"${section}" does not say "${beginning}".`);
    const { line } = this.#left.splice(at, 1)[0]!;
    const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      this.#environment[name] = this.#here(value!);
      return '';
    }
    if (line === 'kill -9 PID') {
      await this.stop('3005', 'SIGKILL');
      return '';
    }
    if (/ serve |balancer\.ts/.test(line)) return this.#starts(line);
    return this.#runs(line);
  }

  /** What is owed may have to wait for the end of a lease: the same command again. */
  async pullsUntil(pattern: RegExp): Promise<string> {
    let printed = await this.types('npx event-manager subscriptions pull', 'When one dies');
    while (!pattern.test(printed))
      printed += await this.#runs('npx event-manager subscriptions pull audit --ack --wait 20');
    return printed;
  }

  async stop(port: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#running.get(port);
    if (child === undefined) throw new TypeError(`Nothing runs on ${port}.`);
    this.#running.delete(port);
    await end(child, signal);
  }

  async stopAll(signal: NodeJS.Signals): Promise<void> {
    await Promise.all([...this.#running.values()].map((child) => end(child, signal)));
    this.#running.clear();
  }

  async #runs(line: string): Promise<string> {
    const options = { cwd: this.#folder, env: this.#environment };
    const { stdout, stderr } = await run('bash', ['-c', this.#here(line)], options);
    return `${stdout}${stderr}`;
  }

  async #starts(line: string): Promise<string> {
    // What it becomes has the number of the shell, so that it can be stopped.
    const options = { cwd: this.#folder, env: this.#environment, stdio: 'pipe' } as const;
    const child = spawn('bash', ['-c', `exec ${this.#here(line)}`], options);
    this.#running.set(/300\d/.exec(line)?.[0] ?? '3004', child);
    let printed = '';
    const isUp = /"msg":"listening"|balances http/;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (printed += part));
    while (!isUp.test(printed)) {
      const isOver = await Promise.race([
        once(child, 'exit').then(() => true),
        once(child.stdout, 'data').then(() => false),
      ]);
      if (isOver && !isUp.test(printed)) throw new TypeError(`It ended: ${printed}`);
    }
    return printed;
  }

  #here(line: string): string {
    return this.#replacements.reduce((words, [from, to]) => words.replaceAll(from, to), line);
  }
}

/** Every line of every block for a shell, with the heading it stands under. */
function commandsOf(page: string): { section: string; line: string }[] {
  return page.split(/^## /m).flatMap((part) => {
    const section = part.slice(0, part.indexOf('\n'));
    const blocks = [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)];
    return blocks.flatMap(([, block]) =>
      block!
        .trim()
        .split('\n')
        .map((line) => ({ section, line })),
    );
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('The socket has no port.');
  return String(address.port);
}
