import { holdAgainstProgram } from './one-program.ts';

const name = 'event-sourcing-and-snapshots.md';
const main = 'examples/event-sourcing/main.ts';
const store = 'examples/event-sourcing/store.ts';
const modules = ['examples/event-sourcing/account.ts', 'examples/event-sourcing/ledger.ts'];

holdAgainstProgram({ name, program: main, modules: [...modules, store], others: [] });
holdAgainstProgram({ name, program: store, modules: [...modules, main], others: [] });
