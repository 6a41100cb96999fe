import { crc32 } from 'node:zlib';

/** CRC-32 (ISO-HDLC, the one of zlib and PNG) of `bytes[from, to)`, continued from `seed`. */
export function checksum(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  return crc32(bytes.subarray(from, to), seed);
}
