import { EventManagerError, type JsonValue, type Limits, parseJson } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * JSON bodies arrive as bytes and are read by core's strict reader: the one of the framework would let the last of two equal
 * keys win and round numbers. They are read in the handler, so that a mistake does not cost the client its connection.
 */
export function acceptJson(app: FastifyInstance, limits: Limits): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer', bodyLimit: limits.bodyBytesMax } as const;
  app.addContentTypeParser('application/json', options, (_request, body, done) => done(null, body));
}

/** Throws `unsupported_media_type`, `invalid_json`, `too_deep`. */
export function readJsonBody(request: FastifyRequest, limits: Limits): JsonValue {
  const { body } = request;
  if (!(body instanceof Uint8Array)) {
    throw new EventManagerError('unsupported_media_type', 'A body of the type application/json is needed.');
  }
  assertPlain(request);
  return parseJson(body, { depthMax: limits.depthMax });
}

/** JSON is UTF-8 (RFC 8259, section 8.1), and nothing is decompressed: a few bytes could become gigabytes. */
export function assertPlain({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new EventManagerError('unsupported_media_type', 'Compressed bodies are not accepted.');
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^(utf-8|utf8|us-ascii)$/i.test(charset)) {
    throw new EventManagerError('unsupported_media_type', 'JSON is UTF-8; other encodings are not accepted.');
  }
}
