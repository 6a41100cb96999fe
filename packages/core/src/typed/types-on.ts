/*
 * The rules of `topic/pattern.ts` once more, in types: `.` and `/` separate levels, `+` is one level, `*` one or more, `#` zero
 * or more. `types-on.test.ts` holds both to the same table.
 */

/** The types that, read as topics, a pattern matches; all of them when none does or the pattern is not known. */
export type TypesOn<Types extends string, Topic extends string> = string extends Topic
  ? Types
  : [Matching<Types, Levels<Topic>>] extends [never]
    ? Types
    : Matching<Types, Levels<Topic>>;

type Matching<Types extends string, Pattern extends readonly string[]> = Types extends Types
  ? Matches<Levels<Types>, Pattern> extends true
    ? Types
    : never
  : never;

type Levels<Text extends string> = Text extends `${infer Head}/${infer Rest}`
  ? [...DotLevels<Head>, ...Levels<Rest>]
  : DotLevels<Text>;

type DotLevels<Text extends string> = Text extends `${infer Head}.${infer Rest}` ? [Head, ...DotLevels<Rest>] : [Text];

type Matches<Topic extends readonly string[], Pattern extends readonly string[]> = Pattern extends [
  infer First,
  ...infer More extends string[],
]
  ? First extends '#'
    ? MatchesFrom<Topic, More>
    : Topic extends [infer Level, ...infer Rest extends string[]]
      ? First extends '*'
        ? MatchesFrom<Rest, More>
        : First extends '+' | Level
          ? Matches<Rest, More>
          : false
      : false
  : Topic extends []
    ? true
    : false;

/** True when what is left of the pattern matches the topic or the end of it, however many levels are left out. */
type MatchesFrom<Topic extends readonly string[], Pattern extends readonly string[]> =
  Matches<Topic, Pattern> extends true
    ? true
    : Topic extends [string, ...infer Rest extends string[]]
      ? MatchesFrom<Rest, Pattern>
      : false;
