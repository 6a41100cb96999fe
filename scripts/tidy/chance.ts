import { type Finding, isPackageSource, memberText, type Node, nameOf, type SourceFile, walk } from './source-file.ts';

const CLOCK_MEMBERS = new Set(['Date.now', 'performance.now', 'process.hrtime', 'AbortSignal.timeout']);
const TIMER_NAMES = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const CHANCE_NAMES = new Set([
  'randomBytes',
  'randomUUID',
  'randomUUIDv7',
  'randomInt',
  'randomFillSync',
  'getRandomValues',
]);
/** The rooms of real time and chance; the virtual clock has to hold on to the real loop it replaces. */
const ROOMS = [/^packages\/core\/src\/runtime\//, /^packages\/testing\/src\/virtual-time\.ts$/];

/** Time and chance come from a `Runtime`; otherwise the simulation would not replay what it found. */
export function findChance(files: readonly SourceFile[]): Finding[] {
  return files
    .filter((file) => isPackageSource(file.path) && !ROOMS.some((room) => room.test(file.path)))
    .flatMap((file) => {
      const findings: Finding[] = [];
      walk(file.program, (node) => {
        const advice = adviceFor(node);
        if (advice !== undefined)
          findings.push({ path: file.path, line: file.lineAt(node.start), rule: 'clock-or-chance', advice });
      });
      return findings;
    });
}

function adviceFor(node: Node): string | undefined {
  const member = memberText(node);
  if (member === 'Math.random') return 'take runtime.chance';
  if (member !== undefined && CLOCK_MEMBERS.has(member))
    return `instead of ${member} take runtime.clock or runtime.timers`;
  if (
    node.type === 'NewExpression' &&
    nameOf(node['callee']) === 'Date' &&
    (node['arguments'] as unknown[]).length === 0
  ) {
    return 'instead of new Date() take runtime.clock.wallMs()';
  }
  if (node.type !== 'CallExpression') return undefined;
  const called = nameOf(node['callee']) ?? lastName(node['callee']);
  if (called !== undefined && TIMER_NAMES.has(called)) return `instead of ${called} take runtime.timers`;
  if (called !== undefined && CHANCE_NAMES.has(called)) return `instead of ${called} take runtime.chance`;
  return undefined;
}

function lastName(callee: unknown): string | undefined {
  return memberText(callee)?.split('.')[1];
}
