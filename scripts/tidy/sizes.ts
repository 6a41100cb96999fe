import {
  type Finding,
  isNode,
  isPackageSource,
  isTest,
  type Node,
  nameOf,
  packageOf,
  type SourceFile,
  walk,
} from './source-file.ts';

const FILE_LINES_MAX = 500;
const FILE_LINES_P90 = 300;
const FUNCTION_LINES_MAX = 70;
const CONTRACT_LINES_MAX = 150;
const CONTRACT_METHODS_MAX = 8;
const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
/** With fewer files a ninth decile says nothing. */
const P90_FILES_MIN = 10;

export function findOversized(files: readonly SourceFile[]): Finding[] {
  return [...files.flatMap(sizesOf), ...spreadOf(files)];
}

function sizesOf(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  if (file.lines > FILE_LINES_MAX) {
    const advice = `${file.lines} lines; split at a real seam (at most ${FILE_LINES_MAX})`;
    findings.push({ path: file.path, line: FILE_LINES_MAX, rule: 'file-size', advice });
  }
  if (!isTest(file.path)) findings.push(...longFunctions(file));
  if (/^packages\/core\/src\/contracts\//.test(file.path)) findings.push(...wideContracts(file));
  return findings;
}

function longFunctions(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.program, (node, ancestors) => {
    if (!FUNCTIONS.has(node.type) || isSuite(ancestors.at(-1))) return;
    const line = file.lineAt(node.start);
    const lines = file.lineAt(node.end) - line + 1;
    if (lines <= FUNCTION_LINES_MAX) return;
    const advice = `${lines} lines; push branches up and loops down (at most ${FUNCTION_LINES_MAX})`;
    findings.push({ path: file.path, line, rule: 'function-size', advice });
  });
  return findings;
}

/** The callback of `describe` is a folder of tests, not a function that anybody has to follow. */
function isSuite(parent: Node | undefined): boolean {
  return parent?.type === 'CallExpression' && /^describe\b/.test(calleeName(parent['callee']));
}

function calleeName(callee: unknown): string {
  if (!isNode(callee)) return '';
  if (callee.type === 'CallExpression') return calleeName(callee['callee']);
  return callee.type === 'MemberExpression' ? calleeName(callee['object']) : (nameOf(callee) ?? '');
}

function wideContracts(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  if (file.lines > CONTRACT_LINES_MAX) {
    const advice = `${file.lines} lines; a contract is read whole (at most ${CONTRACT_LINES_MAX})`;
    findings.push({ path: file.path, line: CONTRACT_LINES_MAX, rule: 'contract-size', advice });
  }
  walk(file.program, (node) => {
    if (node.type !== 'TSInterfaceDeclaration') return;
    const members = (node['body'] as { body: readonly Node[] }).body;
    const methods = members.filter((member) => member.type === 'TSMethodSignature').length;
    if (methods <= CONTRACT_METHODS_MAX) return;
    const advice = `${methods} methods; every adapter pays for each (at most ${CONTRACT_METHODS_MAX})`;
    findings.push({ path: file.path, line: file.lineAt(node.start), rule: 'contract-size', advice });
  });
  return findings;
}

function spreadOf(files: readonly SourceFile[]): Finding[] {
  const byPackage = Map.groupBy(
    files.filter((file) => isPackageSource(file.path)),
    (file) => packageOf(file.path)!,
  );
  const findings: Finding[] = [];
  for (const [name, own] of byPackage) {
    const sorted = own.toSorted((a, b) => a.lines - b.lines);
    const ninth = sorted[Math.ceil(sorted.length * 0.9) - 1]!;
    if (sorted.length < P90_FILES_MIN || ninth.lines <= FILE_LINES_P90) continue;
    const advice = `more than a tenth of packages/${name} is longer than ${FILE_LINES_P90} lines, this file (${ninth.lines}) among them`;
    findings.push({ path: ninth.path, line: 1, rule: 'file-size', advice });
  }
  return findings;
}
