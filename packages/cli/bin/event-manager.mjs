#!/usr/bin/env node
// Exists before anything is built, so that `npx event-manager` finds this command in a clone and never asks a registry
// for a stranger's package of the same name. Plain JavaScript, so that an old Node can say what it needs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_MIN = 24;
const WRONG_USE = 2;

const built = new URL('../dist/cli.js', import.meta.url);
const source = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

if (Number(process.versions.node.split('.')[0]) < NODE_MIN) {
  process.stderr.write(`event-manager needs Node ${NODE_MIN} or newer; this is ${process.version}.\n`);
  process.exitCode = WRONG_USE;
} else if (existsSync(source) && !source.includes('/node_modules/')) {
  runSource();
} else {
  await import(built.href);
}

/** In a clone: the sources, so that what runs is never an old build. Installed, Node strips no types. */
function runSource() {
  const args = ['--conditions=source', source, ...process.argv.slice(2)];
  // The same process goes on as another program: a service has one number, and every signal reaches it.
  if (process.platform !== 'win32') process.execve(process.execPath, [process.execPath, ...args], process.env);
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? WRONG_USE;
}
