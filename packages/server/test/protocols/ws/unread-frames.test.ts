import { expect, it } from 'vitest';
import { cutLargestUnread } from '../../../src/protocols/ws/unread-frames.ts';

it('cuts those that hold the most of frames that are not whole, and no more of them than it has to', () => {
  const cut: number[] = [];
  const readers = [0, 500, 10, 300, 0, 200].map((unreadBytes) => ({
    unreadBytes,
    cutUnread: () => cut.push(unreadBytes),
  }));
  cutLargestUnread(readers, 1_010);
  expect(cut).toEqual([]);
  cutLargestUnread(readers, 600);
  expect(cut).toEqual([500]);
  cutLargestUnread(readers, 100);
  expect(cut).toEqual([500, 500, 300, 200]);
});
