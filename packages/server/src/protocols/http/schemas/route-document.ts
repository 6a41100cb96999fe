import type { ErrorCode, Limits } from '@event-manager/core';
import type { TSchema } from 'typebox';

/** What the OpenAPI document says of one route. */
export interface RouteDocument {
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly path?: Readonly<Record<string, TSchema>>;
  readonly query?: Readonly<Record<string, TSchema>>;
  readonly headers?: Readonly<Record<string, TSchema>>;
  /** By media type. */
  readonly body?: Readonly<Record<string, TSchema>>;
  /** By status. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** The codes that this route gives beside those that every route may give. */
  readonly errors: readonly ErrorCode[];
}

export interface RouteAnswer {
  readonly description: string;
  /** By media type; absent for an answer without a body. */
  readonly content?: Readonly<Record<string, TSchema>>;
  readonly headers?: Readonly<Record<string, TSchema>>;
}

/** The documents of some routes, by method and address as they are registered: `GET /events/:id`. */
export type RouteDocuments = Readonly<Record<string, RouteDocument>>;
export type RouteDocumentsOf = (limits: Limits) => RouteDocuments;

const JSON_TYPE = 'application/json';

export function json(schema: TSchema): Readonly<Record<string, TSchema>> {
  return { [JSON_TYPE]: schema };
}

/** What a body of JSON may be refused for before its fields are looked at. */
export const BODY_ERRORS = [
  'invalid_json',
  'too_deep',
  'body_too_large',
  'unsupported_media_type',
  'overloaded',
] as const satisfies readonly ErrorCode[];

/** What a store may say to whoever wants something kept. */
export const WRITE_ERRORS = [
  'store_failed',
  'store_unavailable',
  'disk_full',
  'store_read_only',
  'closed',
  'aborted',
] as const satisfies readonly ErrorCode[];

/** What a store may say to whoever reads. */
export const READ_ERRORS = [
  'store_failed',
  'store_unavailable',
  'closed',
  'corrupt_record',
] as const satisfies readonly ErrorCode[];
