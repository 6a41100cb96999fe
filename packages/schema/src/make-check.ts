import { EventManagerError, type JsonValue } from '@event-manager/core';
import { _, Ajv2020, type CodeKeywordDefinition, type KeywordCxt, type ValidateFunction } from 'ajv/dist/2020.js';
import anyOf from 'ajv/dist/vocabularies/applicator/anyOf.js';
import contains from 'ajv/dist/vocabularies/applicator/contains.js';
import oneOf from 'ajv/dist/vocabularies/applicator/oneOf.js';
import { COSTS, type Costs, pay, withCosts } from './costs.ts';
import type { Effort } from './effort.ts';
import { equalities, replaceKeyword } from './equality-keywords.ts';
import { FORMATS } from './formats.ts';
import type { SafePattern } from './safe-pattern.ts';

/**
 * Makes the code that holds payloads against a schema. An instance for each schema, because ajv never forgets what it compiled;
 * it goes when the schema is replaced. Throws `invalid_schema`.
 */
export function makeCheck(
  schema: JsonValue,
  patterns: ReadonlyMap<string, SafePattern>,
  effort: Effort,
): ValidateFunction {
  const patternOf = Object.assign((pattern: string) => patterns.get(pattern)!, { code: 'patternOf' });
  const ajv = new Ajv2020({
    strict: false,
    meta: false,
    validateSchema: false,
    logger: false,
    // One function for each reference: copies of them would double with every level.
    inlineRefs: false,
    // `constructor` is not a property of every payload.
    ownProperties: true,
    // Otherwise names of properties are held against patterns by JavaScript's own engine.
    allowMatchingProperties: true,
    // Lists of names are looked through by a loop: written out they are more code than can be compiled in time.
    loopRequired: 10,
    // 19.99 is a multiple of 0.01, whatever doubles say.
    multipleOfPrecision: 6,
    // Tidying the code takes time that grows with its square (measured: 400 ms for a thousand subschemas, against 100).
    code: { optimize: false, regExp: patternOf },
  });
  for (const [name, test] of FORMATS) ajv.addFormat(name, test);
  replaceKeyword(ajv, quiet(anyOf.default));
  replaceKeyword(ajv, quiet(oneOf.default));
  replaceKeyword(ajv, quiet(contains.default));
  for (const definition of equalities(effort)) replaceKeyword(ajv, definition);
  ajv.addKeyword(costs(effort));
  payFirst(ajv);
  try {
    return ajv.compile(withCosts(schema) as object);
  } catch (cause) {
    throw new EventManagerError('invalid_schema', 'The schema cannot be compiled.', { pointer: '' }, cause);
  }
}

/** Before every other keyword: one that fails ends the visit, and a thousand visits that fail are a thousand visits. */
function payFirst({ RULES }: Ajv2020): void {
  const group = RULES.rules.find(({ rules }) => rules.some(({ keyword }) => keyword === COSTS))!;
  const at = group.rules.findIndex(({ keyword }) => keyword === COSTS);
  RULES.rules.unshift({ rules: group.rules.splice(at, 1) });
}

/** As a keyword that writes code: one that is a function is called with a new object each time, which doubles the time of a check. */
function costs(effort: Effort): CodeKeywordDefinition {
  const payFor = (own: number, eachProperty: boolean, value: unknown) => pay({ own, eachProperty }, effort, value);
  return {
    keyword: COSTS,
    code({ gen, schema, data }) {
      const { own, eachProperty } = schema as Costs;
      gen.code(_`${gen.scopeValue('func', { ref: payFor })}(${own}, ${eachProperty}, ${data})`);
    },
  };
}

/**
 * The same keyword, which does not describe why each of its alternatives did not fit: nobody reads it, and copying the
 * descriptions from level to level takes time that grows with their square.
 */
function quiet(definition: CodeKeywordDefinition): CodeKeywordDefinition {
  return {
    ...definition,
    code(context: KeywordCxt) {
      const { subschema, error } = context;
      context.subschema = (applied, valid) => subschema.call(context, { ...applied, createErrors: false }, valid);
      context.error = (...rest) => {
        context.reset();
        error.apply(context, rest);
      };
      definition.code(context);
    },
  };
}
