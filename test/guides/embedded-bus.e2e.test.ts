import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readBusEnvironment } from '../../packages/core/src/bus/bus-environment.ts';
import { holdAgainstProgram } from './one-program.ts';

holdAgainstProgram({ name: 'embedded-bus.md', program: 'examples/embedded-bus/main.ts', others: [] });

it('lists every variable of the bus', () => {
  let known: readonly string[] = [];
  try {
    readBusEnvironment({ EVENT_BUS_ADAPTOR: 'memory' });
  } catch (error) {
    // Who misspells one is told all of them.
    known = String(error)
      .match(/EVENT_BUS_[A-Z_]+/g)!
      .slice(1);
  }
  expect(known.length).toBeGreaterThan(8);
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/embedded-bus.md'), 'utf8');
  expect(known.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
});
