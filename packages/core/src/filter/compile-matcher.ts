import { equalJson } from '../json/equal-json.ts';
import type { JsonValue } from '../json.ts';
import { compilePatterns } from '../topic/compile-patterns.ts';
import { canonicalLevels } from '../topic/topic.ts';
import { compileCidr } from './cidr.ts';
import { compileEqualsIgnoreCase } from './equals-ignore-case.ts';
import type { TextMatcher } from './filter.ts';
import { compileNumeric } from './numeric.ts';
import { OPERATORS } from './operators.ts';
import { compileWildcard } from './wildcard.ts';

type ValueTest = (found: JsonValue | undefined) => boolean;
type TextTest = (text: string) => boolean;

const NAMES: ReadonlySet<string> = new Set(OPERATORS);

/** Makes the test for what `readWanted` returned; `undefined` is what the event does not have. */
export function compileWanted(wanted: JsonValue): ValueTest {
  return compileAlternatives(Array.isArray(wanted) ? wanted : [wanted]);
}

/** Makes the test for texts and operators on texts; `asPatterns` when texts are patterns and `.` is as good as `/`. */
export function compileTexts(matchers: readonly TextMatcher[], asPatterns: boolean): TextTest {
  const plain = matchers.filter((matcher) => typeof matcher === 'string');
  const others = matchers.filter((matcher) => typeof matcher !== 'string');
  const tests: TextTest[] = others.map((operators) => {
    const test = compileTextOperators(operators as Readonly<Record<string, JsonValue>>, asPatterns);
    return asPatterns ? (text) => test(canonicalLevels(text)) : test;
  });
  if (plain.length > 0) tests.unshift(compilePlain(plain, asPatterns));
  return any(tests);
}

function compilePlain(texts: readonly string[], asPatterns: boolean): TextTest {
  if (asPatterns) return compilePatterns(texts);
  if (texts.length === 1) return equalTo(texts[0]!);
  const wanted = new Set(texts);
  return (text) => wanted.has(text);
}

function equalTo(wanted: string): TextTest {
  return (text) => text === wanted;
}

function compileTextOperators(operators: Readonly<Record<string, JsonValue>>, asPatterns: boolean): TextTest {
  const tests = Object.entries(operators).map(([name, operand]): TextTest => {
    if (name !== 'anythingBut') return compileTextOperator(name, operand, asPatterns) ?? never;
    const isDenied = compileTexts(list(operand) as readonly TextMatcher[], asPatterns);
    return (text) => !isDenied(text);
  });
  return every(tests);
}

function compileTextOperator(name: string, operand: JsonValue, asPatterns: boolean): TextTest | undefined {
  const texts = list(operand);
  if (!texts.every((text) => typeof text === 'string')) return undefined;
  const written = asPatterns ? texts.map(canonicalLevels) : texts;
  switch (name) {
    case 'prefix':
      return any(written.map((prefix) => (text) => text.startsWith(prefix)));
    case 'suffix':
      return any(written.map((suffix) => (text) => text.endsWith(suffix)));
    case 'equalsIgnoreCase':
      return any(written.map(compileEqualsIgnoreCase));
    case 'wildcard':
      return any(written.map(compileWildcard));
    case 'cidr':
      return compileCidr(written);
    default:
      return undefined;
  }
}

/** Plain values are one look-up however many there are. */
function compileAlternatives(choices: readonly JsonValue[]): ValueTest {
  const plain = choices.filter(isPlain);
  const tests: ValueTest[] = choices.filter((choice) => !isPlain(choice)).map(compileChoice);
  if (plain.length === 1) {
    const [only] = plain as [JsonValue];
    tests.unshift((found) => found === only);
  } else if (plain.length > 1) {
    const wanted = new Set<JsonValue | undefined>(plain);
    tests.unshift((found) => wanted.has(found));
  }
  return any(tests);
}

/**
 * What was stored before there were operators may look like one by chance; where its operands are none it is the value that
 * it was.
 */
function compileChoice(choice: JsonValue): ValueTest {
  return compileOperators(choice) ?? ((found) => found !== undefined && equalJson(choice, found));
}

function compileOperators(choice: JsonValue): ValueTest | undefined {
  if (typeof choice !== 'object' || choice === null || Array.isArray(choice)) return undefined;
  const entries = Object.entries(choice);
  if (entries.length === 0 || !entries.every(([name]) => NAMES.has(name))) return undefined;
  const tests = entries.map(([name, operand]) => compileOperator(name, operand));
  return tests.includes(undefined) ? undefined : every(tests as ValueTest[]);
}

function compileOperator(name: string, operand: JsonValue): ValueTest | undefined {
  switch (name) {
    case 'equals':
      return (found) => found !== undefined && equalJson(operand, found);
    case 'exists':
      return typeof operand === 'boolean' ? (found) => (found !== undefined) === operand : undefined;
    case 'numeric': {
      const test = compileNumeric(operand);
      return test && ((found) => typeof found === 'number' && test(found));
    }
    case 'anythingBut': {
      const isDenied = compileAlternatives(list(operand));
      return (found) => found !== undefined && !isDenied(found);
    }
    default: {
      const test = compileTextOperator(name, operand, false);
      return test && ((found) => typeof found === 'string' && test(found));
    }
  }
}

function isPlain(choice: JsonValue): boolean {
  return typeof choice !== 'object' || choice === null;
}

function list(operand: JsonValue): readonly JsonValue[] {
  return Array.isArray(operand) ? operand : [operand];
}

const never = () => false;

function any<Value>(tests: readonly ((value: Value) => boolean)[]): (value: Value) => boolean {
  if (tests.length === 1) return tests[0]!;
  return (value) => {
    for (const test of tests) if (test(value)) return true;
    return false;
  };
}

function every<Value>(tests: readonly ((value: Value) => boolean)[]): (value: Value) => boolean {
  if (tests.length === 1) return tests[0]!;
  return (value) => {
    for (const test of tests) if (!test(value)) return false;
    return true;
  };
}
