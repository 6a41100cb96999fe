import type { PerMessageDeflateOptions } from 'ws';

/**
 * What compression costs is memory: with these at most about 40 KiB for a connection that compresses, kept by none between two frames, and work for four at a
 * time. Short frames are sent as they are.
 */
export const COMPRESSION: PerMessageDeflateOptions = {
  threshold: 1_024,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 12,
  concurrencyLimit: 4,
  zlibDeflateOptions: { level: 3, memLevel: 5 },
};
