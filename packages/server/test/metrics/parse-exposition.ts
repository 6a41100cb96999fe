/** One metric as a monitoring system reads it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL})(?:,${LABEL})*)\\})? (NaN|[+-]Inf|[-+0-9.eE]+)$`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

/**
 * Reads both text forms strictly: what Prometheus would refuse is thrown. Every sample belongs to the metric declared above it,
 * no series comes twice, and the buckets of a histogram grow and end with its count.
 */
export function parseExposition(text: string, form: 'prometheus' | 'openmetrics'): ParsedFamily[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new SyntaxError('The text does not end with a line break.');
  if (form === 'openmetrics' && lines.pop() !== '# EOF') throw new SyntaxError('There is no # EOF.');
  const families: ParsedFamily[] = [];
  const seen = new Set<string>();
  let help: { name: string; help: string } | undefined;
  for (const line of lines) {
    if (line === '' && form === 'prometheus') continue;
    const declared = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (declared) {
      const [, what, name, rest] = declared as unknown as [string, string, string, string];
      if (what === 'HELP') help = { name, help: rest };
      else if (help?.name !== name) throw new SyntaxError(`TYPE without HELP: ${line}`);
      else families.push({ ...help, type: rest, samples: [] });
      continue;
    }
    const family = families.at(-1);
    const found = SAMPLE.exec(line);
    if (!found || !family) throw new SyntaxError(`Not a sample: ${line}`);
    const [, name, labels = '', value] = found as unknown as [string, string, string | undefined, string];
    if (!namesOf(family, form).includes(name)) throw new SyntaxError(`Not a sample of ${family.name}: ${line}`);
    if (seen.has(`${name}{${labels}}`)) throw new SyntaxError(`A series twice: ${line}`);
    seen.add(`${name}{${labels}}`);
    family.samples.push({ name, labels: readLabels(labels), value: readValue(value) });
  }
  const names = families.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new SyntaxError('A metric is declared twice.');
  for (const family of families) if (family.type === 'histogram') checkBuckets(family);
  return families;
}

function namesOf({ name, type }: ParsedFamily, form: 'prometheus' | 'openmetrics'): string[] {
  if (type === 'counter' && form === 'openmetrics') return [`${name}_total`];
  return SUFFIXES[type]?.map((suffix) => name + suffix) ?? [name];
}

function readLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
  const unescaped = (value: string) => value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, unescaped(value!)]));
}

function readValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function checkBuckets({ name, samples }: ParsedFamily): void {
  const series = Map.groupBy(samples, ({ labels: { le: _le, ...others } }) => JSON.stringify(others));
  for (const [labels, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map((sample) => readValue(sample.labels['le']!));
    const isSorted = bounds.every((bound, at) => at === 0 || bound > bounds[at - 1]!);
    const grows = buckets.every(({ value }, at) => at === 0 || value >= buckets[at - 1]!.value);
    const count = own.find((sample) => sample.name === `${name}_count`)?.value;
    if (!isSorted || !grows || bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count) {
      throw new SyntaxError(`The buckets of ${name}${labels} are wrong.`);
    }
  }
}
