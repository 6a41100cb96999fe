/*
 * 32-bit hashes for the indexes. They only narrow a search: a record that an index names is always read and compared.
 */

/** FNV-1a over UTF-16 code units with a final avalanche; never 0, which says "absent". */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return avalanche(hash) || 1;
}

/**
 * Hash of an event id given as four words. The seed is secret to the directory, so that a publisher, who chooses ids
 * freely, cannot choose them to collide.
 */
export function hashId(words: Uint32Array, at: number, seed: number): number {
  let hash = seed;
  for (let word = 0; word < 4; word++) {
    hash = Math.imul(hash ^ words[at + word]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return avalanche(hash);
}

function avalanche(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
