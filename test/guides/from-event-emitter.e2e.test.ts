import { holdAgainstProgram } from './one-program.ts';

holdAgainstProgram({ name: 'from-event-emitter.md', program: 'examples/from-event-emitter/main.ts', others: [] });
