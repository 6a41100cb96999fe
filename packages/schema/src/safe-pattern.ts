import { RE2JS } from 're2js';
import type { Effort } from './effort.ts';

/** A step is about 50 ns: two for each character, and 40 ns more for each instruction where the automaton does not fit its cache (measured). */
const STEPS_PER_CHARACTER = 2;
const STEPS_PER_INSTRUCTION = 0.8;

/** Decides in time that grows with the text alone. */
export interface SafePattern {
  /** Instructions. */
  readonly size: number;
  /** Throws `TooMuchEffort` before it would take too long. */
  test(text: string): boolean;
}

/**
 * A pattern on an engine that does not go back (RE2): no text can make it slow. JavaScript's own engine can be stopped for
 * minutes by `(a+)+$` and thirty characters. Throws the engine's error for what it does not have: looking ahead or behind and
 * references to groups.
 */
export function safePattern(pattern: string, effort: Effort, matchStepsMax: number): SafePattern {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  const size = compiled.programSize();
  const perCharacter = STEPS_PER_CHARACTER + STEPS_PER_INSTRUCTION * size;
  return {
    size,
    test(text) {
      const steps = text.length * perCharacter;
      effort.spend(steps > matchStepsMax ? Number.POSITIVE_INFINITY : steps);
      return compiled.test(text);
    },
  };
}
