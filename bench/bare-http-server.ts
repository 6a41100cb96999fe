/**
 * The least a service of this kind can do over HTTP: `POST /events` parses, validates and appends the raw bytes by group
 * commit; `POST /events/batch` only parses and validates. Started with the file to append to.
 */
import { fastify } from 'fastify';
import { RawLog } from './raw-log.ts';

const EVENT = {
  type: 'object',
  required: ['type', 'source'],
  properties: {
    id: { type: 'string' },
    type: { type: 'string', minLength: 1, maxLength: 255 },
    source: { type: 'string', minLength: 1, maxLength: 255 },
    topic: { type: 'string', minLength: 1, maxLength: 500 },
    correlationId: { type: 'string', maxLength: 255 },
    metadata: { type: 'object' },
    payload: { type: 'object' },
  },
};
const BODY_BYTES_MAX = 4 * 1024 * 1024;

const log = await RawLog.create(process.argv[2]!);
const bytesOf = new WeakMap<object, Uint8Array>();
const app = fastify({ bodyLimit: BODY_BYTES_MAX });
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
  bytesOf.set(request, body);
  try {
    done(null, JSON.parse(body.toString()));
  } catch (error) {
    done(error as Error);
  }
});
app.post('/events', { schema: { body: EVENT } }, async (request, reply) => {
  await log.append(bytesOf.get(request)!);
  return reply.code(201).send({ id: request.id, cursor: '', duplicate: false });
});
app.post<{ Body: readonly unknown[] }>(
  '/events/batch',
  { schema: { body: { type: 'array', items: EVENT } } },
  async (request, reply) => {
    return reply
      .code(201)
      .send({ results: request.body.map(() => ({ id: request.id, cursor: '', duplicate: false })) });
  },
);
process.on('SIGTERM', () => process.exit(0));
console.log(`listens on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
