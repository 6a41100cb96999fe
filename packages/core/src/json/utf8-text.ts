/**
 * Reads UTF-8 that this product wrote itself (never input from outside, which `parseJson` checks), all of it or from byte `start`
 * up to byte `end`. Four times a TextDecoder.
 */
export function utf8Text(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8', start, end);
}
