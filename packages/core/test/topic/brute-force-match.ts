/** Matching as the documentation words it, by trying every split: slow, and too simple to be wrong. */
export function bruteForceMatch(pattern: readonly string[], topic: readonly string[]): boolean {
  if (topic[0]?.startsWith('$') === true && /^[+*#]$/.test(pattern[0] ?? '')) return false;
  return tryAll(pattern, topic);
}

function tryAll([first, ...rest]: readonly string[], topic: readonly string[]): boolean {
  if (first === undefined) return topic.length === 0;
  if (first === '#' || first === '*') {
    for (let taken = first === '#' ? 0 : 1; taken <= topic.length; taken++) {
      if (tryAll(rest, topic.slice(taken))) return true;
    }
    return false;
  }
  return topic.length > 0 && (first === '+' || first === topic[0]) && tryAll(rest, topic.slice(1));
}
