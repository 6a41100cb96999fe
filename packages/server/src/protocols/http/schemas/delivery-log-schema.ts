import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { wordSchema } from './text-schemas.ts';

/** What is kept of deliveries that are over, among the options of a subscription. */
export function deliveryLogField(words: readonly string[], options: TSchemaOptions = {}): { deliveryLog: TSchema } {
  const description =
    'Which deliveries leave a record when they are over: those that failed or waited at least once, all (`full`), or none.';
  return { deliveryLog: Type.Optional(wordSchema(words, { description, ...options })) };
}
