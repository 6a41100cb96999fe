import { describe } from 'vitest';
import { holdAgainstProgram } from './one-program.ts';

describe('the guide to realtime for browsers', () => {
  holdAgainstProgram({ name: 'browsers.md', program: 'examples/browsers/main.ts', others: [] });
});

describe('the guide from direct WebSockets', () => {
  holdAgainstProgram({
    name: 'from-direct-websockets.md',
    program: 'examples/from-direct-websockets/main.ts',
    others: [],
  });
});
