import { describe, expect, it } from 'vitest';
import { encodeEvent, encodeParts } from '../../src/event/encode-event.ts';

const textOf = (body: Uint8Array): string => Buffer.from(body).toString('utf8');

describe('encodeParts', () => {
  it('makes one text of two, whatever they hold and however long they are', () => {
    for (const fill of ['', 'x', 'ü', '事件', '🎉', 'x'.repeat(4_050), '事'.repeat(1_300), '事'.repeat(5_000)]) {
      const [a, b] = [
        { id: '1', fill },
        { fill, more: [fill] },
      ];
      expect(textOf(encodeParts(JSON.stringify(a), JSON.stringify(b)))).toBe(JSON.stringify({ ...a, payload: b }));
    }
  });

  it('leaves bodies alone that were made before: small ones share memory', () => {
    const made = Array.from({ length: 500 }, (_, index) => {
      const payload = { index, fill: '事'.repeat(index) };
      const body = index % 2 === 0 ? encodeParts('{"id":"1"}', JSON.stringify(payload)) : undefined;
      return { payload, body: body ?? encodeEvent(JSON.stringify({ id: '1', payload })) };
    });
    for (const { payload, body } of made) expect(textOf(body)).toBe(JSON.stringify({ id: '1', payload }));
  });
});
