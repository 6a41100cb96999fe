import { type Finding, isNode, type Node, type SourceFile, walk } from './source-file.ts';

/** Words that already mean three things each, and what we say instead (`docs/glossary.md`). */
const BANNED: ReadonlyMap<string, string> = new Map([
  ['transport', 'protocol (in), sink (out)'],
  ['message', 'event, delivery or frame'],
  ['messages', 'events, deliveries or frames'],
  ['job', 'delivery, or replay'],
  ['jobs', 'deliveries, or replays'],
  ['channel', 'topic or stream'],
  ['channels', 'topics or streams'],
  ['manager', 'the verb it does'],
  ['util', 'the thing it is about'],
  ['utils', 'the thing it is about'],
  ['helper', 'the thing it is about'],
  ['helpers', 'the thing it is about'],
  ['common', 'the thing it is about'],
]);
/** A file of this name collects whatever has no room of its own. */
const DUMPING_GROUNDS = new Set(['types', 'misc', 'lib', 'interfaces']);
/** The product is an event manager, a replay may be a replay job, and two names are those of a program that others know. */
const EXCEPTIONS = /event-?manager|replay-?jobs?|event-?integrated-?web-?socket-?manager|task-?manager/gi;
/** Errors have messages for people, so values may be called so; a type, a function or a file may not. */
const VALUE_WORDS = new Set(['message']);
const TYPE_DECLARATIONS = new Set(['ClassDeclaration', 'TSInterfaceDeclaration', 'TSTypeAliasDeclaration']);
const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'TSMethodSignature',
]);
const MEMBERS = new Set(['PropertyDefinition', 'MethodDefinition', 'TSPropertySignature', 'TSMethodSignature']);

export function findBannedWords(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => [...wordsOfPath(file.path), ...wordsOfNames(file)]);
}

function wordsOfPath(path: string): Finding[] {
  const findings = path.split('/').flatMap((part) => judge(part.replace(/\..*$/, ''), path, 1));
  const name = path.split('/').at(-1)!.split('.')[0]!;
  if (DUMPING_GROUNDS.has(name)) {
    findings.push({
      path,
      line: 1,
      rule: 'word',
      advice: `"${name}" is a dumping ground: name the file after its one main export`,
    });
  }
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    findings.push({ path, line: 1, rule: 'file-name', advice: 'file names are kebab-case' });
  return findings;
}

function wordsOfNames(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.program, (node) => {
    for (const declared of declaredBy(node)) {
      const name = String(declared['name']);
      const line = file.lineAt(declared.start);
      const isValue = !TYPE_DECLARATIONS.has(node.type) && declared !== node['id'];
      findings.push(...judge(name, file.path, line, isValue || node.type === 'VariableDeclarator'));
      if (TYPE_DECLARATIONS.has(node.type) && /^I[A-Z][a-z]|^Abstract[A-Z]|[a-z]Impl$/.test(name)) {
        findings.push({
          path: file.path,
          line,
          rule: 'type-name',
          advice: `"${name}": name what it is, without I…, Abstract… or …Impl`,
        });
      }
    }
  });
  return findings;
}

function judge(name: string, path: string, line: number, isValue = false): Finding[] {
  const words = name
    .replace(EXCEPTIONS, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words
    .filter((word) => BANNED.has(word) && !(isValue && VALUE_WORDS.has(word)))
    .map((word) => ({ path, line, rule: 'word', advice: `"${name}": instead of "${word}" say ${BANNED.get(word)}` }));
}

/** The names that a node declares; names it merely uses belong to somebody else. */
function declaredBy(node: Node): Node[] {
  if (node.type === 'VariableDeclarator') return bound(node['id']);
  if (TYPE_DECLARATIONS.has(node.type)) return bound(node['id']);
  if (MEMBERS.has(node.type)) return [...bound(node['key']), ...boundAll(node['params'])];
  if (FUNCTIONS.has(node.type)) return [...bound(node['id']), ...boundAll(node['params'])];
  return [];
}

function boundAll(patterns: unknown): Node[] {
  return Array.isArray(patterns) ? patterns.flatMap(bound) : [];
}

function bound(pattern: unknown): Node[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [pattern];
    case 'AssignmentPattern':
      return bound(pattern['left']);
    case 'RestElement':
      return bound(pattern['argument']);
    case 'ArrayPattern':
      return boundAll(pattern['elements']);
    case 'ObjectPattern':
      return (pattern['properties'] as readonly Node[]).flatMap((property) =>
        property['shorthand'] === true ? [] : bound(property.type === 'RestElement' ? property : property['value']),
      );
    default:
      return [];
  }
}
