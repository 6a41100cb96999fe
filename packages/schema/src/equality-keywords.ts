import { _, type Ajv2020, type CodeKeywordDefinition } from 'ajv/dist/2020.js';
import type { Effort } from './effort.ts';
import { hasUniqueItems, oneOfValues } from './same-value.ts';

/** The keywords that ask whether values are the same. */
export function equalities(effort: Effort): readonly CodeKeywordDefinition[] {
  return [
    judging('const', 'must be equal to constant', (value) => oneOfValues([value], effort)),
    judging('enum', 'must be equal to one of the allowed values', (values) => oneOfValues(values as unknown[], effort)),
    {
      ...judging('uniqueItems', 'must not hold the same item twice', (isOn) =>
        isOn === true ? (items) => hasUniqueItems(items as unknown[], effort) : () => true,
      ),
      type: 'array',
    },
  ];
}

/** A keyword that is a function of the value, called without the descriptions that ajv would make for each call. */
function judging(
  keyword: string,
  message: string,
  make: (schema: unknown) => (value: unknown) => boolean,
): CodeKeywordDefinition {
  return {
    keyword,
    error: { message },
    code(context) {
      const { gen, schema, data } = context;
      const fits = gen.scopeValue('func', { ref: make(schema) });
      context.fail(_`!${fits}(${data})`);
    },
  };
}

export function replaceKeyword(ajv: Ajv2020, definition: CodeKeywordDefinition): void {
  ajv.removeKeyword(definition.keyword as string);
  ajv.addKeyword(definition);
}
