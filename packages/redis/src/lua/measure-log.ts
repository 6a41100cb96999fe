import { storeScript } from './script.ts';

/** `ARGV`: store. Answers head, trimmed, bytes, number of events, branch. */
export const MEASURE_LOG = storeScript(`
return { field('head'), field('trimmed'), field('bytes') - field('trimmed_bytes'), field('count') - field('trimmed_count'),
  field('branch') }
`);
