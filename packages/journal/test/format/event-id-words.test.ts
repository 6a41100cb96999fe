import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventIdText, parseEventIdWords } from '../../src/format/event-id-words.ts';

it('an id survives the way through words and bytes', () => {
  fc.assert(
    fc.property(fc.uuid(), (id) => {
      const words = new Uint32Array(6);
      parseEventIdWords(id, words, 1);
      const bytes = Buffer.alloc(16);
      for (let word = 0; word < 4; word++) bytes.writeUInt32BE(words[1 + word]!, word * 4);
      expect(eventIdText(bytes, 0)).toBe(id);
    }),
  );
});

it.each(['', 'x', '0000000g-0000-4000-8000-000000000000', '00000000-0000-4000-8000-0000000000000'])(
  '%j is refused',
  (id) => {
    expect(() => parseEventIdWords(id, new Uint32Array(4), 0)).toThrow(
      expect.objectContaining({ code: 'invalid_event' }),
    );
  },
);
