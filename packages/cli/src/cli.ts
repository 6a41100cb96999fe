/** The program `event-manager`. */
import { homedir } from 'node:os';
import { webRuntime } from '@event-manager/core/portable';
import { EXIT_CODES } from './exit-codes.ts';
import { runCli } from './run-cli.ts';

const { stdin, stdout, stderr, env: environment } = process;

const exitCode = await runCli({
  args: process.argv.slice(2),
  stdin,
  stdout,
  stderr,
  environment,
  homeDirectory: homedir(),
  runtime: webRuntime,
  signals: process,
});
process.exitCode = exitCode;
// Whoever was told to end does not wait for what is still open, such as a connection to a service that is away.
if (exitCode >= EXIT_CODES.interrupted.code) process.exit();
