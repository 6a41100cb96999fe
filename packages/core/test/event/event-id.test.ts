import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventIdSource, parseEventId, uuidBytes, uuidText } from '../../src/event/event-id.ts';
import { foreignEventId } from '../../src/event/foreign-event-id.ts';
import { type Runtime, systemRuntime } from '../../src/runtime/runtime.ts';

function runtimeAt(wallMs: () => number): Runtime {
  return { ...systemRuntime, clock: { wallMs, monotonicMs: () => 0 } };
}

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('createEventIdSource', () => {
  it('makes version 7 UUIDs whose first 48 bits are the time, so that stores get nearly sorted ids', () => {
    const id = createEventIdSource(runtimeAt(() => 0x0192_3456_789a))();
    expect(id).toMatch(UUID_7);
    expect(id.startsWith('01923456-789a-7')).toBe(true);
  });

  it('ascends while the clock stands, beyond the 4,096 counts of one millisecond', () => {
    const next = createEventIdSource(runtimeAt(() => 1_000));
    let previous = next();
    for (let count = 0; count < 20_000; count++) {
      const id = next();
      if (!(id > previous) || !UUID_7.test(id)) expect.fail(`${id} after ${previous}`);
      previous = id;
    }
  });

  it('ascends whatever the clock does: a clock set back must not make an older-looking id', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 2, maxLength: 200 }), (times) => {
        let at = 0;
        const next = createEventIdSource(runtimeAt(() => times[at++]!));
        const ids = times.map(() => next());
        expect(ids).toEqual([...new Set(ids)].sort());
      }),
    );
  });
});

describe('parseEventId', () => {
  it('takes any version and writes it in lower case, so that one event has one key', () => {
    expect(parseEventId('C232AB00-9414-11EC-B3C8-9F6BDECED846')).toBe('c232ab00-9414-11ec-b3c8-9f6bdeced846');
    expect(parseEventId('00000000-0000-0000-0000-000000000000')).toBe('00000000-0000-0000-0000-000000000000');
  });

  it.each([
    '',
    'x',
    'c232ab009414-11ec-b3c8-9f6bdeced846-',
    '{c232ab00-9414-11ec-b3c8-9f6bdeced84}',
    'c232ab00-9414-11ec-b3c8-9f6bdeced84g',
    'c232ab00-9414-11ec-b3c8-9f6bdeced846\n',
    ' 232ab00-9414-11ec-b3c8-9f6bdeced846',
  ])('refuses %j, which is no UUID', (text) => {
    expect(parseEventId(text)).toBeUndefined();
  });
});

describe('foreignEventId', () => {
  it('is the same for the same source and id for ever, else a foreign event would be stored twice', () => {
    expect(foreignEventId('https://example.com/a', '42')).toBe(foreignEventId('https://example.com/a', '42'));
    expect(foreignEventId('https://example.com/a', '42')).toMatch(/^.{14}5.{4}[89ab]/);
  });

  it('keeps source and id apart: moving a letter between them makes another event', () => {
    expect(foreignEventId('ab', 'c')).not.toBe(foreignEventId('a', 'bc'));
    expect(foreignEventId('a","b', 'c')).not.toBe(foreignEventId('a', 'b","c'));
  });
});

describe('uuidBytes and uuidText', () => {
  it('are inverse at any offset and touch no byte around', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 0, max: 9 }), (id, at) => {
        const bytes = new Uint8Array(32).fill(0xee);
        uuidBytes(id, bytes, at);
        expect(uuidText(bytes, at)).toBe(id);
        expect(bytes.filter((byte, index) => (index < at || index >= at + 16) && byte !== 0xee)).toHaveLength(0);
      }),
    );
  });
});
