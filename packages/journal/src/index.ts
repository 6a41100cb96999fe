export { FAILPOINTS, type Failpoint } from './failpoints.ts';
export { nodeDisk } from './files/node-disk.ts';
export { type JournalOptions, journal } from './journal.ts';
