import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseEventId } from '../../src/event/event-id.ts';
import { readEventId } from '../../src/ingest/read-event-id.ts';

const ID = 'C232AB00-9414-11EC-B3C8-9F6BDECED846';

describe('readEventId', () => {
  it('agrees with parseEventId, whatever one character is replaced by', () => {
    for (let at = 0; at < ID.length; at++) {
      for (const character of ['0', 'f', 'F', 'g', '-', ' ', '/', ':', '@', '`', '\0', 'İ', 'š', '\uff10', '\ud800']) {
        const text = ID.slice(0, at) + character + ID.slice(at + 1);
        expect(readEventId(text), JSON.stringify(text)).toBe(parseEventId(text));
      }
    }
  });

  it('takes an id in lower case as it is, and refuses other lengths', () => {
    const id = randomUUID();
    expect(readEventId(id)).toBe(id);
    expect(readEventId('')).toBeUndefined();
    expect(readEventId(`${id}0`)).toBeUndefined();
  });
});
