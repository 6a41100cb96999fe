/** Puts the stored bytes of an event between what a frame has before and after it; they are never encoded again. */
export function framedEvent(before: string, body: Uint8Array, after: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(before.length + body.length + after.length);
  bytes.write(before, 0, 'latin1');
  bytes.set(body, before.length);
  bytes.write(after, before.length + body.length, 'latin1');
  return bytes;
}
