import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readFrame } from '../../src/connection/read-frame.ts';
import { clientOf } from '../support/client-of.ts';
import { published, SocketStandIn } from '../support/socket-stand-in.ts';

const EVENT = { id: 'e', type: 't', source: 's', timestamp: '2026-11-20T08:00:00.000Z', metadata: {}, payload: {} };
const FRAMES = [
  { type: 'hello', limits: { windowEvents: 1, frameBytesMax: 1 } },
  { type: 'published', answers: [{ ref: 1, result: { id: 'e', cursor: 'c', duplicate: false } }] },
  { type: 'published', answers: [{ ref: 1, results: [{ error: { code: 'invalid_event' } }] }] },
  { type: 'published', answers: [{ ref: 1, error: { code: 'overloaded' } }] },
  { type: 'subscribed', ref: 1, subscription: { id: 's', topic: '#', connectionType: 'socket', options: {} } },
  { type: 'detached', subscription: 's', reason: 'ended' },
  { type: 'streaming', ref: 1, stream: 's1', cursor: 'c' },
  { type: 'delivery', subscription: 's', deliveries: [{ delivery: 1, attempt: 1, cursor: 'c', event: EVENT }] },
  { type: 'progress', subscription: 's', cursor: 'c' },
  { type: 'event', stream: 's1', cursor: 'c', event: EVENT },
  { type: 'gap', stream: 's1', cursor: 'c', cause: 'trimmed' },
  { type: 'error', ref: 1, error: { code: 'invalid_request' } },
];

it.each(FRAMES)('reads $type, and not without anything that is read of it', (frame) => {
  expect(readFrame(JSON.stringify({ ...frame, news: true }))).toMatchObject(frame);
  for (const [name, value] of Object.entries(frame)) {
    if (name === 'type' || (frame.type === 'error' && name === 'ref')) continue;
    for (const wrong of [undefined, null, 1.5, [null], typeof value === 'string' ? {} : 'constructor']) {
      expect(readFrame(JSON.stringify({ ...frame, [name]: wrong }))).toBeUndefined();
    }
  }
});

it('tells what a newer service may say from what no service says', () => {
  expect(readFrame('{"type":"weather","cloudy":true}')).toBe('unknown');
  expect(readFrame('{"type":"constructor"}')).toBe('unknown');
  for (const text of ['null', '1', '[]', '{}', '"hello"', '{"type":1}', '<html>', '']) {
    expect(readFrame(text)).toBeUndefined();
  }
});

it('throws for nothing that can be said', () => {
  const type = fc.constantFrom(...FRAMES.map((frame) => frame.type));
  const fields = fc.constantFrom('ref', 'limits', 'answers', 'subscription', 'deliveries', 'event', 'error', 'cursor');
  const property = fc.property(type, fc.dictionary(fields, fc.jsonValue()), (said, rest) => {
    readFrame(JSON.stringify({ ...rest, type: said }));
  });
  fc.assert(property, { numRuns: 2_000 });
});

it.each([
  { type: 'published' },
  { type: 'published', answers: [null] },
  { type: 'published', answers: [{ ref: 1, results: [] }] },
  { type: 'delivery', subscription: 's', deliveries: [null] },
  { type: 'subscribed', ref: 1 },
])('comes back to a service that says %j, and ends no program', async (nonsense) => {
  const service = await SocketStandIn.start((frame, peer) => {
    if (frame.type !== 'publish') return;
    peer.send(peer.number === 1 ? nonsense : published(frame));
  });
  // An error in a listener of a socket would be nobody's, and end the process; vitest counts such a one as a failure.
  await expect(clientOf(service).publish({ type: 'a', source: 'b' })).resolves.toMatchObject({ duplicate: false });
  expect(service.peers).toHaveLength(2);
});
