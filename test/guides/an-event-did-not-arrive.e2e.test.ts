import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { WHY_REASONS } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { guide } from './regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const text = guide('an-event-did-not-arrive.md');
const TRIES_MAX = 20;

/** Each block of commands with what it prints last, where the guide shows that. */
const steps = [...text.matchAll(/^```sh\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm)].map(
  ([, lines, shown]) => ({
    lines: lines!.trimEnd().split('\n'),
    shown,
  }),
);

/** Times, and ids that are drawn or follow from names, are others each time; so are the widths of columns that hold them. */
function masked(output: string): string {
  return output
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'TIME')
    .replace(/(?!0198c0de)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
    .replace(/^(AT|MATCHING|TIME) +/gm, (_, word: string) =>
      word === 'AT' ? 'AT    ' : word.padEnd(10).slice(0, word === 'TIME' ? undefined : 10),
    )
    .replace(/^TIME {6}(?=published|recorded|failed|due|expires)/gm, 'TIME  ');
}

/** A newcomer types what the guide says, and finds each cause with one command. */
it('prints what the guide shows, command by command', { timeout: 180_000 }, async () => {
  const folder = temporaryDirectory();
  const npx = join(folder, 'npx');
  writeFileSync(
    npx,
    `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, 'packages/cli/bin/event-manager.mjs')}" "$@"\n`,
  );
  chmodSync(npx, 0o755);
  const environment: Record<string, string> = {
    PATH: `${folder}:${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: folder,
  };
  const types = async (line: string): Promise<string> => {
    const served = /^(\w+)=(\w+) npx event-manager serve --data-dir \.\/data$/.exec(line);
    if (!served)
      return (await run('bash', ['-c', line], { env: environment, cwd: folder }).catch((failed) => failed)).stdout;
    const [, name, value] = served;
    const service = await ServiceProcess.start({
      dataDir: join(folder, 'data'),
      port: 0,
      environment: { [name!]: value! },
    });
    onTestFinished(async () => void (await service.stop('SIGKILL')));
    environment['EVENT_MANAGER_URL'] = service.url;
    return '';
  };
  let shownCount = 0;
  for (const { lines, shown } of steps) {
    for (const line of lines.slice(0, -1)) await types(line);
    const last = lines.at(-1)!;
    let printed = masked(await types(last));
    // What is delivered, or fails, does so a moment after it was published.
    for (let tries = 1; shown !== undefined && printed !== shown && tries < TRIES_MAX; tries++)
      printed = masked(await types(last));
    if (shown === undefined) continue;
    expect(printed).toBe(shown);
    shownCount++;
  }
  expect(shownCount).toBeGreaterThanOrEqual(7);
});

it('explains every reason, with what it means', () => {
  const rows = [...text.matchAll(/^\| `(\w+)` \| `([\w-]+)` \| /gm)].map(([, reason, status]) => [reason, status]);
  expect(Object.fromEntries(rows)).toEqual(WHY_REASONS);
});
