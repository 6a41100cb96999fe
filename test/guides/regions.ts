import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** A code block of a guide that names where it is from: `ts examples/a.ts#region`. */
export interface NamedBlock {
  readonly language: string;
  readonly file: string;
  readonly region: string;
  readonly text: string;
}

export const guide = (name: string): string => readFileSync(join(root, 'docs/guides', name), 'utf8');

export function namedBlocks(text: string): NamedBlock[] {
  const found = text.matchAll(/^```(\w+) ([\w./-]+)#([\w-]+)\n([\s\S]*?)^```$/gm);
  return [...found].map(([, language, file, region, block]) => ({ language, file, region, text: block }) as NamedBlock);
}

/** First lines of the code blocks that show nothing, and of those with blanks where a reader sees none. */
export function untidyBlocks(text: string): string[] {
  return [...text.matchAll(/^```([^\n`]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, , block]) => block!.trim() === '' || /^\n|\n\n$|[ \t]\n/.test(block!))
    .map(([, info]) => info!);
}

/** Languages of the blocks that name nothing. */
export function namelessLanguages(text: string): string[] {
  return [...text.matchAll(/^```(\w+)$/gm)].map(([, language]) => language!);
}

/** What stands between `// #region name` and the next `// #endregion`, without the empty line that the formatter puts before imports. */
export function regionOf(file: string, region: string): string {
  const text = readFileSync(join(root, file), 'utf8');
  const [, found] = text.match(new RegExp(`^// #region ${region}\\n([\\s\\S]*?)^// #endregion$`, 'm')) ?? [];
  if (found === undefined) throw new TypeError(`${file} has no region ${region}.`);
  return `${found.trimEnd()}\n`;
}
