import type { Readable } from 'node:stream';
import { EventManagerError, type JsonValue, type Limits } from '@event-manager/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BodyBudget } from './body-budget.ts';
import { parseBounded } from './parse-bounded.ts';
import { readBody } from './read-body.ts';

/** A body that was not read yet: it is read by the handler, which knows how large it may be. */
export class UnreadJson {
  readonly stream: Readable;

  constructor(stream: Readable) {
    this.stream = stream;
  }
}

/**
 * JSON bodies are read by core's strict reader: the one of the framework would let the last of two equal keys win and round
 * numbers. They are read in the handler, so that a mistake does not cost the client its connection, and by ourselves,
 * because the framework keeps every chunk of a body apart.
 */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (_request, body, done) => done(null, new UnreadJson(body)));
}

export interface JsonBodies {
  readonly limits: Limits;
  readonly budget: BodyBudget;
}

/** The body of one event may be so many times its size as it is stored: escapes and spaces are not stored. */
const SPACIOUS = 2;

/** Throws `unsupported_media_type`, `body_too_large`, `overloaded`, `invalid_json`, `too_deep`. */
export async function readJsonBody(
  request: FastifyRequest,
  reply: FastifyReply,
  { limits, budget }: JsonBodies,
): Promise<JsonValue> {
  const { bodyBytesMax: bytesMax } = limits;
  return read(request, reply, { limits, budget, bytesMax, tooLarge: () => bodyTooLarge(bytesMax) });
}

/** As `readJsonBody`, for a body that is one event; throws also `event_too_large`. */
export async function readEventBody(
  request: FastifyRequest,
  reply: FastifyReply,
  { limits, budget }: JsonBodies,
): Promise<JsonValue> {
  const { bodyBytesMax, eventBytesMax } = limits;
  const bytesMax = Math.min(eventBytesMax * SPACIOUS, bodyBytesMax);
  const tooLarge = () =>
    (announcedBytes(request) ?? 0) > bodyBytesMax ? bodyTooLarge(bodyBytesMax) : eventTooLarge(eventBytesMax);
  return read(request, reply, { limits, budget, bytesMax, tooLarge });
}

async function read(
  request: FastifyRequest,
  reply: FastifyReply,
  { limits, budget, bytesMax, tooLarge }: JsonBodies & { bytesMax: number; tooLarge: () => EventManagerError },
): Promise<JsonValue> {
  const { body } = request;
  if (!(body instanceof UnreadJson)) {
    throw new EventManagerError('unsupported_media_type', 'A body of the type application/json is needed.');
  }
  assertPlain(request);
  const announced = announcedBytes(request);
  try {
    return await readBody(body.stream, { bytesMax, announced, budget, tooLarge }, (bytes) =>
      parseBounded(bytes, limits),
    );
  } catch (error) {
    // The rest of a short body is read and thrown away, and the connection goes on; that of a long one is not worth it.
    if (!request.raw.complete && !((announced ?? Number.POSITIVE_INFINITY) <= limits.bodyBytesMax)) {
      reply.header('connection', 'close');
    }
    throw error;
  }
}

function announcedBytes({ headers }: FastifyRequest): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

function bodyTooLarge(maximum: number): EventManagerError {
  const words = 'The body is larger than limits.bodyBytesMax; send more as application/x-ndjson.';
  return new EventManagerError('body_too_large', words, { limit: 'bodyBytesMax', maximum });
}

function eventTooLarge(maximum: number): EventManagerError {
  const words = `The body is larger than an event of ${maximum} bytes needs.`;
  return new EventManagerError('event_too_large', words, { pointer: '', limit: 'eventBytesMax', maximum });
}

const UTF_8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/** JSON is UTF-8 (RFC 8259, section 8.1), and nothing is decompressed: a few bytes could become gigabytes. */
export function assertPlain({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new EventManagerError('unsupported_media_type', 'Compressed bodies are not accepted.');
  }
  if (!charsetsOf(headers['content-type'] ?? '').every((charset) => UTF_8.has(charset))) {
    throw new EventManagerError('unsupported_media_type', 'JSON is UTF-8; other encodings are not accepted.');
  }
}

function charsetsOf(contentType: string): readonly string[] {
  if (!contentType.includes(';')) return [];
  const parameters = contentType.toLowerCase().split(';').slice(1);
  const pairs = parameters.map((parameter) => parameter.split('=', 2).map((part) => part.trim()));
  return pairs.filter(([name]) => name === 'charset').map(([, value = '']) => value.replaceAll('"', ''));
}
