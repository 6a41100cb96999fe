/** The program `event-manager`. */
import { homedir } from 'node:os';
import { webRuntime } from '@event-manager/core/portable';
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
