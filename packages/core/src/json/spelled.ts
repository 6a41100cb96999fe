/** A name in snake_case. */
type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : Name;

/** Fields that may be left out, under their names and under further spellings, each in snake_case, too: what `readFields` reads. */
export type Spelled<Fields, Others extends Readonly<Record<string, keyof Fields>>> = {
  readonly [Name in keyof Fields & string as Name | Snake<Name>]?: Fields[Name] | undefined;
} & {
  readonly [Name in keyof Others & string as Name | Snake<Name>]?: Fields[Others[Name]] | undefined;
};
