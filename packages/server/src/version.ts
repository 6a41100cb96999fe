import { readFileSync } from 'node:fs';

/** All packages share one version. The manifest lies above the sources and above what is built from them. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
