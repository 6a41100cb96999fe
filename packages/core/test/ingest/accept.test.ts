import { expect, it } from 'vitest';
import { EVENT_FIELDS, isEventField, isMetadataField, METADATA_FIELDS } from '../../src/ingest/accept.ts';

it('takes the same names for settled wherever they are written down', () => {
  for (const [spelling, name] of EVENT_FIELDS) expect(isEventField(spelling), spelling).toBe(spelling === name);
  for (const [spelling, name] of METADATA_FIELDS) {
    expect(isMetadataField(spelling), spelling).toBe(false);
    expect(isMetadataField(name), name).toBe(true);
  }
});
