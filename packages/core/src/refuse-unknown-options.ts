/**
 * Refuses options by names that nobody reads, as a TypeError: `{ adaptor: … }` would otherwise be a bus that keeps everything
 * in memory and says nothing. The compiler finds such a name only in a literal, and not at all in JavaScript. A name with
 * the value `undefined` is absent.
 */
export function refuseUnknownOptions(options: object, known: readonly string[], what: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new TypeError(`${what} has no option ${JSON.stringify(name)}; it has ${known.join(', ')}.`);
  }
}
