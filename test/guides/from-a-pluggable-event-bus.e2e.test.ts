import { holdAgainstProgram } from './one-program.ts';

const program = 'examples/from-a-pluggable-event-bus/main.ts';

holdAgainstProgram({ name: 'from-a-pluggable-event-bus.md', program, others: [] });
