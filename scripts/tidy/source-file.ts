import { type Comment, parseSync } from 'oxc-parser';

/** A node of the ESTree form that the parser returns; rules look at few fields, so the rest stays untyped on purpose. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A source file, parsed once for all rules. */
export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly program: Node;
  readonly comments: readonly Comment[];
  lineAt(offset: number): number;
}

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  /** What to do instead. */
  readonly advice: string;
}

export type Rule = (files: readonly SourceFile[]) => Finding[];

export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return {
    path,
    text,
    lines: text.endsWith('\n') ? starts.length - 1 : starts.length,
    program: parsed.program as unknown as Node,
    comments: parsed.comments,
    lineAt: (offset) => starts.findLastIndex((start) => start <= offset) + 1,
  };
}

/** Visits every node, parents before children. `ancestors` ends with the direct parent and is reused: copy it to keep it. */
export function walk(
  node: Node,
  visit: (node: Node, ancestors: readonly Node[]) => void,
  ancestors: Node[] = [],
): void {
  visit(node, ancestors);
  ancestors.push(node);
  for (const field of Object.values(node)) {
    for (const child of Array.isArray(field) ? field : [field]) if (isNode(child)) walk(child, visit, ancestors);
  }
  ancestors.pop();
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** `a.b` as text where both sides are plain names. */
export function memberText(node: unknown): string | undefined {
  if (!isNode(node) || node.type !== 'MemberExpression' || node['computed'] === true) return undefined;
  const { object, property } = node as unknown as { object: Node; property: Node };
  return object.type === 'Identifier' ? `${String(object['name'])}.${String(property['name'])}` : undefined;
}

/** The name of a plain identifier. */
export function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' ? String(node['name']) : undefined;
}

export function isTest(path: string): boolean {
  return path.includes('/test/') || path.startsWith('test/') || path.endsWith('.test.ts');
}

/** Product code: what a package publishes. */
export function isPackageSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path);
}

export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}
