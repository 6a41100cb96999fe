import { expect, it } from 'vitest';
import { LIMIT_SETTINGS, SETTINGS } from '../src/index.ts';
import { asksForUsage, usage } from '../src/usage.ts';

it('is printed for those who ask, and names every setting', () => {
  expect([['--help'], ['--port', '1', '-h'], []].map(asksForUsage)).toEqual([true, true, false]);
  const text = usage();
  for (const { variable } of [...Object.values(SETTINGS), ...Object.values(LIMIT_SETTINGS)])
    expect(text).toContain(variable);
  for (const flag of ['--port', '--host', '--data-dir', '--config', '--adapter']) expect(text).toContain(`${flag},`);
  expect(text).toContain('EVENT_MANAGER_PORT (default 3004)');
  expect(text).not.toMatch(/undefined|\[object|NaN/);
});
