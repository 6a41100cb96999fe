import { systemChance } from '@event-manager/core';

const BYTES = 12;

/** Letters and digits that nobody else has and nobody guesses: for passwords, databases, keys, containers. */
export function randomName(): string {
  const bytes = new Uint8Array(BYTES);
  systemChance.fill(bytes);
  return Buffer.from(bytes).toString('hex');
}
