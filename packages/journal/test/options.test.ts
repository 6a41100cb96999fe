import { journal } from '@event-manager/journal';
import { expect, it } from 'vitest';

/** As JavaScript hands them in, where no compiler looks. */
const unchecked = (options: object) => options as Parameters<typeof journal>[0];

it('refuses options by names that nobody reads, and a journal without a directory', () => {
  expect(() => journal(unchecked({ directory: 'x', segmentBytes: 1 }))).toThrow(
    /journal has no option "segmentBytes"; it has directory, segmentBytesMax/,
  );
  expect(() => journal(unchecked({ dir: 'x' }))).toThrow(/journal has no option "dir"/);
  expect(() => journal(unchecked({}))).toThrow(new TypeError('journal needs a directory.'));
});
