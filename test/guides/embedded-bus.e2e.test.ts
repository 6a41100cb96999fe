import { holdAgainstProgram } from './one-program.ts';

holdAgainstProgram({ name: 'embedded-bus.md', program: 'examples/embedded-bus/main.ts', others: [] });
