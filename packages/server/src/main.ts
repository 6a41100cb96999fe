/** `npm start`: the service as a program of its own. The command line runs the same by `event-manager serve`. */
import { homedir } from 'node:os';
import { runService } from './run-service.ts';

await runService({ args: process.argv.slice(2), environment: process.env, homeDirectory: homedir() });
