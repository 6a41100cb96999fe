import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';

/**
 * Schemas that the OpenAPI document names, by their names. They depend on the limits, which are settings. What a body may
 * be is decided by core's readers, which say code and place; the schemas say the same to people and to generators of
 * clients, and the fuzz proves that the two agree.
 */
export type Components = Readonly<Record<string, TSchema>>;
export type ComponentsOf = (limits: Limits) => Components;

/** Names a schema of the document. */
export function component(name: string, options: TSchemaOptions = {}): TSchema {
  return Type.Ref(`#/components/schemas/${name}`, options);
}

/** Further spellings of a field, in camelCase; each field and spelling is also understood in snake_case. */
export function spelled(...others: readonly string[]): { 'x-other-spellings': readonly string[] } {
  return { 'x-other-spellings': others };
}
