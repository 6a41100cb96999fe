/** Events of an embedded bus in LevelDB. */
export { LevelDBEventStore, type LevelOptions } from './level-event-store.ts';
