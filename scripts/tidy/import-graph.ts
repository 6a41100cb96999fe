import { posix } from 'node:path';
import { isNode, type SourceFile, walk } from './source-file.ts';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** The file of the repository it leads to, for relative specifiers. */
  readonly target: string | undefined;
}

const IMPORTS = new Set(['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression']);

/** Everything that a file imports or re-exports, statically, as a type or dynamically with a literal. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  walk(file.program, (node) => {
    const source = node['source'];
    if (!IMPORTS.has(node.type) || !isNode(source) || typeof source['value'] !== 'string') return;
    const specifier = source['value'];
    found.push({ specifier, line: file.lineAt(node.start), target: resolveRelative(file.path, specifier) });
  });
  return found;
}

/** Text such as `./worker.ts` or `packages/server/src/main.ts`: how a file names one that it starts as a process or worker. */
export function pathsNamedBy(file: SourceFile): string[] {
  const found: string[] = [];
  walk(file.program, (node) => {
    const text =
      node.type === 'Literal' ? node['value'] : node.type === 'TemplateElement' ? cooked(node['value']) : undefined;
    if (typeof text !== 'string' || !text.endsWith('.ts')) return;
    found.push(text.replace(/^\//, ''), posix.join(posix.dirname(file.path), text));
  });
  return found;
}

function cooked(value: unknown): unknown {
  return (value as { cooked?: unknown }).cooked;
}

function resolveRelative(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}
