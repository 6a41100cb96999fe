export { application } from './application.ts';
export type { CliSurroundings, TerminalStream } from './cli-context.ts';
export { type Ending, EXIT_CODES } from './exit-codes.ts';
export { runCli } from './run-cli.ts';
