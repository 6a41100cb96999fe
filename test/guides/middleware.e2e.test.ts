import { holdAgainstProgram } from './one-program.ts';

holdAgainstProgram({
  name: 'middleware.md',
  program: 'examples/middleware/main.ts',
  modules: ['examples/middleware/masking.ts', 'examples/middleware/handlers.ts'],
  others: [],
});
