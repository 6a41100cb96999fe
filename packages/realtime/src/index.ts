export type { BrowserMetrics } from './browser/browser-counts.ts';
export type { BrowserOptions } from './browser/browser-options.ts';
export {
  EventIntegratedWebSocketManager,
  type EventsForPages,
} from './browser/event-integrated-web-socket-manager.ts';
export { exposePages, PAGE_METRICS, PAGES_CONTENT_TYPE, type PageMetricRow } from './browser/page-metrics.ts';
export type { PageForm, RolloutOptions } from './browser/rollout.ts';
export { type BridgeOptions, type PageEvent, WebSocketEventBridge } from './browser/web-socket-event-bridge.ts';
export { type DialledWebSocketsOptions, dialledWebSockets, readWebSocket } from './dialled-web-sockets.ts';
export { PROTOCOL } from './frames/protocol.ts';
export { type RealtimeReceiver, type RealtimeReceiverOptions, receiveRealtime } from './receive/receive-realtime.ts';
