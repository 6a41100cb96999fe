import { describe, expect, it } from 'vitest';
import { KnownTexts, onePiece } from '../../src/ingest/known-texts.ts';

describe('KnownTexts', () => {
  it('stays bounded, and makes room again for the names of another day', () => {
    const known = new KnownTexts<number>();
    for (let index = 0; index < 4096; index++) known.put(`old-${index}`, index);
    known.put('new', 1);
    expect(known.get('new')).toBeUndefined();
    expect(known.get('old-0')).toBe(0);
    for (let index = 0; index < 4096; index++) known.put(`once-${index}`, index);
    expect(known.get('old-0')).toBeUndefined();
    known.put('new', 2);
    expect(known.get('new')).toBe(2);
  });

  it('does not keep long texts: their number alone would not bound it', () => {
    const known = new KnownTexts<number>();
    known.put('x'.repeat(257), 1);
    expect(known.get('x'.repeat(257))).toBeUndefined();
  });
});

describe('onePiece', () => {
  it('is the same text, outside of ASCII too', () => {
    for (const text of ['', 'plain', `${'a'.repeat(20)}${'ü'.repeat(20)}`, '事件🎉']) expect(onePiece(text)).toBe(text);
  });
});
