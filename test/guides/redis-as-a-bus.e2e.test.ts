import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { type PrivateServer, skipWithout, startRedis } from '@event-manager/testing/servers';
import { expect, it } from 'vitest';
import { askRedis } from '../../packages/redis/test/support/ask-redis.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide, namedBlocks, namelessLanguages, regionOf } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const PROGRAM = 'examples/redis-bus/main.ts';
const PROGRAM_OF_COMMANDS = join(root, 'packages/cli/bin/event-manager.mjs');
const text = guide('redis-as-a-bus.md');
const blocks = namedBlocks(text);

it.each(blocks.filter(({ language }) => language === 'ts'))('shows $file#$region as it is', (block) => {
  expect([block.file, block.text]).toEqual([PROGRAM, regionOf(block.file, block.region)]);
});

it('shows what the program prints on a Redis that is set as the guide says', { timeout: 60_000 }, async (context) => {
  await skipWithout('redis', context);
  await using server = await startRedis({ settings: settingsShown() });
  const { stdout } = await run(process.execPath, ['--conditions=source', join(root, PROGRAM)], {
    env: { ...process.env, ...environmentOf(server) },
  });
  expect(stdout).toBe(blocks.flatMap((block) => (block.language === 'text' ? [block.text] : [])).join(''));
  // Every command of an operator that the guide shows finds something there.
  for (const command of shown('redis-cli')) expect(await askRedis(server.url, ...command.split(' '))).not.toBe(0);
  expect(new Set(namelessLanguages(text))).toEqual(new Set(['sh', 'conf']));
});

/** Whoever types what a guide shows has to get what it says. */
it('moves a store there and away again by the commands that it shows', { timeout: 60_000 }, async (context) => {
  await skipWithout('redis', context);
  await using server = await startRedis({ settings: settingsShown() });
  const folder = temporaryDirectory();
  const bus = new EventManager({ adapter: journal({ directory: join(folder, 'data') }) });
  await bus.publish({ type: 'a.b', source: 'test' });
  await bus.close();
  const { host } = new URL(server.url);
  const env = { ...process.env, ...environmentOf(server) };
  const commands = shown('npx').filter((command) => command.startsWith('event-manager store '));
  const printed: string[] = [];
  for (const command of commands) {
    const [, ...args] = command.replaceAll('localhost:6379', host).split(' ');
    printed.push((await run(process.execPath, [PROGRAM_OF_COMMANDS, ...args], { cwd: folder, env })).stdout);
  }
  expect(printed).toEqual([
    expect.stringMatching(/^moved 1 events .*\.\/data is marked as moved/s),
    expect.stringMatching(/^moved 1 events .* and refuses to open; start the service on \.\/data-2\n$/s),
    `redis at ${host}/0 may be used again\n`,
  ]);
});

/** The one block of settings. */
function settingsShown(): Record<string, string> {
  const [, block] = /^```conf\n([\s\S]*?)^```$/m.exec(text)!;
  const lines = block!.trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]));
}

function shown(program: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith(`${program} `) ? [line.slice(program.length + 1)] : []));
}

/** The names that the guide gives, with what they are here. */
function environmentOf({ url }: PrivateServer): Record<string, string> {
  const { hostname, port, password } = new URL(url);
  const values = { EVENT_BUS_ADAPTER: 'redis', REDIS_HOST: hostname, REDIS_PORT: port, REDIS_PASSWORD: password };
  for (const name of Object.keys(values)) expect(text).toContain(`export ${name}=`);
  return values;
}
