import { holdAgainstProgram } from './one-program.ts';

holdAgainstProgram({ name: 'pace-and-groups.md', program: 'examples/pace-and-groups/main.ts', others: [] });
