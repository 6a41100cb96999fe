import { holdAgainstProgram } from './one-program.ts';

holdAgainstProgram({ name: 'replaying-events.md', program: 'examples/replay/main.ts', others: [] });
