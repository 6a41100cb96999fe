/** Loaded before everything else: an older Node would end in the middle of something, with words about that. */
if (typeof Map.groupBy !== 'function' || typeof Promise.withResolvers !== 'function') {
  throw new TypeError(`EventManager runs on Node 24 or newer; this is ${process.versions.node}.`);
}
