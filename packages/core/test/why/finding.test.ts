import { expect, it } from 'vitest';
import { calledBy } from '../../src/why/finding.ts';

/** A command that is advised has to do what it says, whatever a subscription is called. */
it('calls a subscription by its name, unless the command line would take that for something else', () => {
  const id = '0198c0de-0000-7000-8000-000000000001';
  expect(calledBy({ id, name: 'billing' })).toBe('billing');
  expect(calledBy({ id })).toBe(id);
  expect(calledBy({ id, name: '--yes' })).toBe(id);
  expect(calledBy({ id, name: '0198c0de-0000-7000-8000-00000000000a' })).toBe(id);
});
