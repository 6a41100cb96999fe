// Runs a TypeScript file of this repository on the Node version pinned in package.json: `node scripts/run.mjs FILE [ARGUMENT…]`.
//
// This is the one file that has to work on whatever Node somebody happens to have (20 or newer) with nothing installed, so it
// is plain JavaScript and imports only built-in modules. It
//   1. makes sure that node_modules holds what package-lock.json says (usually one hash and one comparison);
//   2. hands over to node_modules/node, which runs TypeScript directly: nothing has to be built first.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;
const ORPHAN_CHECK_MS = 200;
const windows = process.platform === 'win32';
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = path.join(root, 'node_modules');
const stamp = path.join(modules, '.installed');
const pinnedNode = path.join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');

function refuse(sentence) {
  process.stderr.write(`event-manager: ${sentence}\n`);
  process.exit(1);
}

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  refuse(
    `this needs Node ${NODE_MAJOR_MIN} or newer to start (found ${process.versions.node}); it then fetches the version it runs on.`,
  );
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) refuse('tell which file to run: node scripts/run.mjs FILE [ARGUMENT…]');

const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
const wanted = createHash('sha256').update(`${process.platform} ${process.arch}\n${lock}`).digest('hex');
if (!existsSync(pinnedNode) || readStamp() !== wanted) {
  if (!isInstalled()) install();
  writeFileSync(stamp, wanted);
}
handOver();

function readStamp() {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
}

/** True when somebody ran npm by hand and node_modules already is what the lock asks for: then a reinstall would only cost time. */
function isInstalled() {
  const record = path.join(modules, '.package-lock.json');
  if (!existsSync(pinnedNode) || !existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(JSON.parse(lock).packages).every(([where, entry]) => {
    if (!where.startsWith('node_modules/')) return true;
    const found = installed[where];
    return found === undefined ? entry.optional === true || entry.peer === true : found.version === entry.version;
  });
}

/**
 * `npm install --no-save` takes every version and checksum from package-lock.json and leaves the file alone. Not `npm ci`: that
 * refuses a lock which lacks builds for other platforms, and a registry that mirrors only some platforms can write no other.
 *
 * No install script runs, except the one that is needed: the package `node` fetches its binary by it. So nobody else's code
 * runs here, and npm's rules about scripts (10 runs all, 11 those allowed) do not matter. Warnings are hidden because the
 * only expected one is false: npm judges `engines` by the Node it runs on, not by the one it is about to install.
 */
function install() {
  process.stderr.write('event-manager: installing dependencies, once …\n');
  npm('install', '--no-save', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund');
  npm('rebuild', 'node', '--ignore-scripts=false');
  if (!existsSync(pinnedNode))
    refuse(`there is no Node binary for ${process.platform} ${process.arch} in the package "node".`);
}

/** The npm that called us, if one did (`npx npm@10 start` has to stay npm 10), otherwise the one on the path. */
function npm(command, ...options) {
  const cli = process.env.npm_execpath ?? '';
  const calledByNpm = /[\\/]npm-cli\.[cm]?js$/.test(cli);
  const argv = [command, ...options, '--loglevel=error', '--engine-strict=false'];
  const ran = calledByNpm
    ? spawnSync(process.execPath, [cli, ...argv], { cwd: root, encoding: 'utf8' })
    : spawnSync('npm', argv, { cwd: root, encoding: 'utf8', shell: windows });
  if (ran.status === 0) return;
  process.stderr.write(`${ran.stdout ?? ''}${ran.stderr ?? ''}`);
  refuse(`npm ${command} failed (${ran.error?.message ?? `exit code ${ran.status}`}); the reason is printed above.`);
}

/** Becomes the pinned Node as far as one process can: same streams, signals passed on, same end. */
function handOver() {
  const child = spawn(pinnedNode, ['--conditions=source', path.resolve(root, file), ...args], { stdio: 'inherit' });
  // Ctrl-C reaches every process of the terminal by itself: passing it on would make it arrive twice, which means "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm passes SIGTERM to its shell, which dies of it and tells nobody: then the shell's death is the signal.
  const shell = process.ppid;
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => process.ppid === shell || child.kill('SIGTERM'), ORPHAN_CHECK_MS).unref();
  }
  child.on('error', (error) => refuse(`cannot run ${pinnedNode}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
