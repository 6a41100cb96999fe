import type { SchemaCompiler } from '../../contracts/schema-compiler.ts';
import type { JsonObject } from '../../json.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Middleware } from '../middleware/middleware.ts';

/**
 * A middleware that configuration asks for. One of ours is named; one of somebody else is a module, by a path (relative to the
 * working directory unless something else is said) or the name of a package. Plain values, so that it fits into TOML.
 */
export type PluginIn =
  | string
  | { readonly name: string; readonly options?: JsonObject | undefined }
  | { readonly path: string; readonly name?: string | undefined; readonly options?: JsonObject | undefined };

/** What a plugin gives: a middleware, or one with numbers to look at and something to close. */
export type Plugin =
  | Middleware
  | {
      readonly middleware: Middleware;
      readonly stats?: (() => unknown) | undefined;
      /** Called when the bus closes, and when the plugin is taken away. */
      readonly close?: (() => void | Promise<void>) | undefined;
    };

/** What a plugin may use beside its options. */
export interface PluginSurroundings {
  readonly runtime: Runtime;
  /** The compiler of JSON Schema that the bus was given. */
  readonly schemas?: SchemaCompiler | undefined;
}

/** The default export of a plugin's module. */
export type CreatePlugin = (options: JsonObject, surroundings: PluginSurroundings) => Plugin | Promise<Plugin>;

/** A plugin that stands in the pipeline. */
export interface LoadedPlugin {
  readonly name: string;
  /** Its numbers, where it has any. */
  stats(): unknown;
  /** Takes it away and closes it. */
  remove(): Promise<void>;
}
