#!/usr/bin/env node
// Exists before anything is built, so that `npx event-manager` finds this command in a clone and never asks a registry
// for a stranger's package of the same name. Plain JavaScript, so that an old Node can say what it needs.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NODE_MIN = 24;
const WRONG_USE = 2;
const FAILED = 1;
/** What shells say of a program that a signal ended. */
const BY_SIGNAL = 128;

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
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  // Ctrl-C reaches every process of the terminal by itself: passing it on would make it arrive twice, which means "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? FAILED) : BY_SIGNAL + constants.signals[signal]);
  });
}
