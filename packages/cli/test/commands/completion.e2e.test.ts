import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';
import { BIN, pathWith, Spawned } from '../support/spawned.ts';

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

/** A folder in which `event-manager` is the command of this clone. */
function binFolder(): string {
  const folder = join(temporaryFolder(), 'bin');
  mkdirSync(folder);
  symlinkSync(BIN, join(folder, 'event-manager'));
  chmodSync(BIN, 0o755);
  return folder;
}

async function script(shell: string): Promise<string> {
  const path = join(temporaryFolder(), `completion.${shell}`);
  const { code, out } = await run(['completion', shell]);
  expect(code).toBe(0);
  writeFileSync(path, out);
  return path;
}

async function shellSays(
  shell: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<string[]> {
  const ran = new Spawned(shell, args, { PATH: pathWith(binFolder()), ...environment });
  ran.child.stdin!.end();
  const { code } = await ran.ended;
  expect([code, ran.err]).toEqual([0, '']);
  return ran.out
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
}

/** What pressing the tab key behind the line offers. */
const SHELLS = {
  bash: async (line: string, environment = {}) => {
    const words = line.split(' ');
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const code = `source '${await script('bash')}'; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _event_manager 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return shellSays('bash', ['--norc', '-c', code], environment);
  },
  zsh: async (line: string, environment = {}) => {
    // Outside of a line editor the words are offered to a stand-in for zsh's own function.
    const words = line.split(' ');
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const code = `autoload -U compinit; compinit -u -D; source '${await script('zsh')}'
_describe() { local name=$2; print -l -- "\${\${(P)name}[@]%%:*}" }
_files() { }
words=(${quoted}); CURRENT=${words.length}; _event-manager`;
    const offered = await shellSays('zsh', ['-f', '-c', code], environment);
    return offered.filter((word) => word.startsWith(words.at(-1)!));
  },
  fish: async (line: string, environment = {}) => {
    const code = `source '${await script('fish')}'; complete --do-complete '${line}'`;
    const offered = await shellSays('fish', ['--no-config', '-c', code], { HOME: temporaryFolder(), ...environment });
    return offered.map((found) => found.split('\t')[0]!);
  },
} as const;

describe.each(Object.entries(SHELLS))('completion in %s', (shell, complete) => {
  it('offers commands, flags, values and what the service knows', { timeout: 60_000 }, async (context) => {
    if (!has(shell)) context.skip(`${shell} is not installed`);
    expect(await complete('event-manager ')).toEqual(
      expect.arrayContaining(['serve', 'publish', 'tail', 'dead-letters', 'doctor', 'completion']),
    );
    expect(await complete('event-manager su')).toEqual(['subscriptions']);
    const ofEvents = ['cancel', 'deliveries', 'get', 'list', 'scheduled'];
    expect((await complete('event-manager events ')).sort()).toEqual(ofEvents);
    expect(await complete('event-manager events list --corr')).toEqual(['--correlation-id']);
    expect((await complete('event-manager publish a --priority ')).sort()).toEqual([
      'CRITICAL',
      'HIGH',
      'LOW',
      'NORMAL',
    ]);
    const { em, url } = await runningService();
    await em(['topics', 'create', 'order.created']);
    expect(await complete('event-manager topics get or', { EVENT_MANAGER_URL: url })).toEqual(['order.created']);
  });
});

it('proposes nothing when the service is away, and nothing that is hidden', async () => {
  const environment = { EVENT_MANAGER_URL: 'http://127.0.0.1:1' };
  const proposals = await run(['propose', '--', 'subscriptions', 'get', ''], { environment });
  expect([proposals.code, proposals.err]).toEqual([0, '']);
  expect(proposals.out).not.toMatch(/^[0-9a-f]{8}-/m);
  expect((await run(['propose', '--', 'prop'])).out).toBe('');
});

it('is loaded by zsh from a folder of fpath, and completes at the first press of the key', async (context) => {
  if (!has('zsh')) context.skip('zsh is not installed');
  const folder = temporaryFolder();
  writeFileSync(join(folder, '_event-manager'), (await run(['completion', 'zsh'])).out);
  const code = `fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D
print -l -- "\${_comps[event-manager]}"
_describe() { local name=$2; print -l -- "\${\${(P)name}[@]%%:*}" }
words=(event-manager config ''); CURRENT=3; _event-manager`;
  expect(await shellSays('zsh', ['-f', '-c', code])).toEqual(['_event-manager', 'check', 'print']);
});
