import type { BusEventIn } from '../publish-arguments.ts';
import type { Middleware, MiddlewareEvent } from './middleware.ts';

type Transformed = BusEventIn | undefined;

/** Returns another event, or nothing to leave it as it is. The one it gets is not to be changed: its publisher holds it, too. */
export type Transform = (event: MiddlewareEvent) => Transformed | Promise<Transformed>;

/** Changes events before they are stored: all of them, or those of some types. */
export function transformationMiddleware(transform: Transform | { readonly [type: string]: Transform }): Middleware {
  const transforms = typeof transform === 'function' ? [transform] : Object.values(transform ?? [undefined]);
  if (!transforms.every((each) => typeof each === 'function')) {
    throw new TypeError('transformationMiddleware takes a function of the event, or one for each of some types.');
  }
  const transformOf =
    typeof transform === 'function'
      ? () => transform
      : (type: string) => (Object.hasOwn(transform, type) ? transform[type] : undefined);
  return async function transformation(event, next) {
    const changed = await transformOf(event.type)?.(event);
    await next(changed ?? event);
  };
}
