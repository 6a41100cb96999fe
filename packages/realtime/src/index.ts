export { type DialledWebSocketsOptions, dialledWebSockets, readWebSocket } from './dialled-web-sockets.ts';
export { PROTOCOL } from './frames/protocol.ts';
export { type RealtimeReceiver, type RealtimeReceiverOptions, receiveRealtime } from './receive/receive-realtime.ts';
