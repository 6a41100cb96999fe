/** Reads UTF-8 that this product wrote itself (never input from outside, which `parseJson` checks). Four times a TextDecoder. */
export function utf8Text(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}
