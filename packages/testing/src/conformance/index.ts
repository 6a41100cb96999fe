export { eventManagerConformance } from './event-manager.ts';
export type { EventManagerHarness, OpenedEventManager } from './event-manager-subject.ts';
export { eventStoreConformance } from './event-store.ts';
export { type ExchangeHarness, exchangeConformance, type OpenExchanges } from './exchange.ts';
export { type LocalQueueConformanceOptions, localQueueConformance } from './local-queue.ts';
export { type MovesHarness, type MovesPlace, movesConformance } from './moves.ts';
export * from './sample-event.ts';
export { stateStoreConformance } from './state-store.ts';
export type { ConformanceHarness, OpenedAdapter } from './subject.ts';
