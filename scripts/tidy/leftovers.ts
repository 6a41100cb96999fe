import {
  type Finding,
  isPackageSource,
  isTest,
  memberText,
  type Node,
  nameOf,
  type SourceFile,
  walk,
} from './source-file.ts';

const MARKERS = /\b(TODO|FIXME|XXX|HACK)\b/;
const BANNER = /[-=*#~_]{5,}/;
const EMOJI = /\p{Emoji_Presentation}/u;
const FOCUSED = /^(it|test|describe|suite)\.only$/;
const SKIPPED = /^(it|test|describe|suite)\.skip$/;
/** Programs that people start: they may speak to the terminal. */
const ENTRY = /\/(main|cli)\.ts$/;

/** What was meant to go before the commit: markers, banners, focused tests, bare errors, prints. */
export function findLeftovers(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => [...inComments(file), ...inCode(file)]);
}

function inComments(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const { value, start } of file.comments) {
    const report = (rule: string, advice: string) =>
      findings.push({ path: file.path, line: file.lineAt(start), rule, advice });
    const marker = MARKERS.exec(value)?.[0];
    if (marker !== undefined) report('marker', `${marker}: do it now, or open an issue and leave nothing here`);
    if (BANNER.test(value)) report('banner', 'no rulers or banners: a file that needs sections is two files');
    if (EMOJI.test(value)) report('emoji', 'comments are sentences');
  }
  return findings;
}

function inCode(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const product = isPackageSource(file.path);
  walk(file.program, (node) => {
    const found = product ? productLeftover(node, file.path) : isTest(file.path) ? testLeftover(node) : undefined;
    if (found !== undefined) findings.push({ path: file.path, line: file.lineAt(node.start), ...found });
  });
  return findings;
}

function productLeftover(node: Node, path: string): { rule: string; advice: string } | undefined {
  if (node.type === 'NewExpression' && nameOf(node['callee']) === 'Error') {
    return {
      rule: 'bare-error',
      advice: 'throw an EventManagerError with a code, or a TypeError for a mistake of the programmer',
    };
  }
  if (memberText(node)?.startsWith('console.') === true && !ENTRY.test(path)) {
    return { rule: 'console', advice: 'packages do not print: return it, or take a logger' };
  }
  return undefined;
}

function testLeftover(node: Node): { rule: string; advice: string } | undefined {
  const member = memberText(node) ?? '';
  if (FOCUSED.test(member)) return { rule: 'focused-test', advice: 'the other tests of the file do not run' };
  if (SKIPPED.test(member))
    return { rule: 'skipped-test', advice: 'use context.skip(reason), so that the run tells why' };
  return undefined;
}
