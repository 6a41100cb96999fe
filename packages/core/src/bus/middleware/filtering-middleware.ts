import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import { compilePatterns } from '../../topic/compile-patterns.ts';
import type { Middleware, MiddlewareEvent } from './middleware.ts';

/** Which events pass. All that is said has to hold; of a list one entry. */
export interface FilteringOptions {
  /** Patterns over the type, as for topics. */
  readonly types?: readonly string[] | undefined;
  readonly excludeTypes?: readonly string[] | undefined;
  /** Patterns over the topic. */
  readonly topics?: readonly string[] | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly excludeSources?: readonly string[] | undefined;
  /** Anything else; true lets the event pass. */
  readonly accept?: ((event: MiddlewareEvent) => boolean | Promise<boolean>) | undefined;
}

const OPTIONS = [
  'types',
  'excludeTypes',
  'topics',
  'sources',
  'excludeSources',
  'accept',
] satisfies (keyof FilteringOptions)[];

/** Keeps back what nobody wants stored. Throws `invalid_pattern`. */
export function filteringMiddleware(options: FilteringOptions): Middleware {
  refuseUnknownOptions(options, OPTIONS, 'filteringMiddleware');
  const { accept, ...lists } = options;
  for (const [name, list] of Object.entries(lists)) {
    // The letters of a text would be patterns, and nothing would pass.
    if (list !== undefined && !Array.isArray(list)) throw new TypeError(`${name} of filteringMiddleware is a list.`);
  }
  const tests = testsOf(options);
  return async function filtering(event, next) {
    if (!tests.every((test) => test(event))) return;
    if (accept && !(await accept(event))) return;
    await next();
  };
}

function testsOf(options: FilteringOptions): readonly ((event: MiddlewareEvent) => boolean)[] {
  const { types, excludeTypes, topics, sources, excludeSources } = options;
  const wanted = types && compilePatterns(types);
  const unwanted = excludeTypes && compilePatterns(excludeTypes);
  const places = topics && compilePatterns(topics);
  return [
    ...(wanted ? [({ type }: MiddlewareEvent) => wanted(type)] : []),
    ...(unwanted ? [({ type }: MiddlewareEvent) => !unwanted(type)] : []),
    ...(places ? [({ type, topic = type }: MiddlewareEvent) => places(topic)] : []),
    ...(sources ? [({ source }: MiddlewareEvent) => sources.includes(source)] : []),
    ...(excludeSources ? [({ source }: MiddlewareEvent) => !excludeSources.includes(source)] : []),
  ];
}
