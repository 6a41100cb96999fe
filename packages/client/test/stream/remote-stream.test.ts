import { describe, expect, it } from 'vitest';
import { clientOf } from '../support/client-of.ts';
import { type Frame, type Peer, SocketStandIn } from '../support/socket-stand-in.ts';
import { until } from '../support/until.ts';

function answerStreaming(frame: Frame, peer: Peer): void {
  const { ref, type } = frame;
  if (type === 'stream') peer.send({ type: 'streaming', ref, stream: `s${ref}`, cursor: 'begin' });
  if (type === 'unstream') peer.send({ type: 'unstreamed', ref });
}

function event(stream: string, number: number): object {
  const stored = { id: `e${number}`, timestamp: '2026-11-20T08:00:00.000Z', metadata: {}, payload: { number } };
  return { type: 'event', stream, cursor: `c${number}`, event: stored };
}

/** A reader would otherwise miss events in silence, or fill the memory of its process. */
describe('a stream over the network', () => {
  it('goes on behind the last frame that came when the connection was lost', async () => {
    const service = await SocketStandIn.start(answerStreaming);
    const stream = await clientOf(service).stream({ topics: ['a'], filter: { sources: ['s'] } });
    expect(stream.cursor).toBe('begin');
    const [{ ref } = { ref: 0 }] = service.of('stream');
    service.peers[0]!.send(event(`s${ref}`, 1));
    expect(await stream.next()).toMatchObject([{ event: { id: 'e1' }, cursor: 'c1' }]);
    service.peers[0]!.send({ type: 'cursor', stream: `s${ref}`, cursor: 'c4' });
    await until('the cursor moves', () => stream.cursor === 'c4');
    service.peers[0]!.cut();
    await until('it is asked for again', () => service.of('stream').length === 2);
    const again = service.of('stream')[1]!;
    expect(again).toMatchObject({ topics: ['a'], filter: { sources: ['s'] }, from: 'c4' });
    service.peers[1]!.send({ type: 'gap', stream: `s${again.ref}`, cursor: 'c9', cause: 'trimmed' });
    expect(await stream.next()).toEqual([{ kind: 'gap', cause: 'trimmed', cursor: 'c9' }]);
  });

  it('is given up while its reader is slow, and asked for again behind what came', async () => {
    const service = await SocketStandIn.start(answerStreaming);
    const stream = await clientOf(service).stream({ from: 'earliest' });
    const [{ ref } = { ref: 0 }] = service.of('stream');
    for (let number = 1; number <= 2_000; number++) service.peers[0]!.send(event(`s${ref}`, number));
    await until('it is given up', () => service.of('unstream').length === 1);
    await service.peers[0]!.taken();
    expect(service.of('stream')).toHaveLength(1);
    const frames = await stream.next();
    expect(frames).toHaveLength(1_024);
    await until('it is asked for again', () => service.of('stream').length === 2);
    expect(service.of('stream')[1]).toMatchObject({ from: 'c1024' });
  });

  it('tells its reader, after what came before, when the service does not take it back', async () => {
    const error = { code: 'invalid_cursor', detail: 'No.', retryable: false };
    const service = await SocketStandIn.start((frame, peer) => {
      if (peer.number === 1) answerStreaming(frame, peer);
      else peer.send({ type: 'error', ref: frame.ref, error });
    });
    const stream = await clientOf(service).stream();
    const [{ ref } = { ref: 0 }] = service.of('stream');
    service.peers[0]!.send(event(`s${ref}`, 1));
    await service.peers[0]!.taken();
    service.peers[0]!.cut();
    await until('it is refused', () => service.of('stream').length === 2);
    await service.peers[1]!.taken();
    expect(await stream.next()).toHaveLength(1);
    await expect(stream.next()).rejects.toMatchObject({ code: 'invalid_cursor' });
  });

  it('tells its reader when the service stays away for longer than one waits', async () => {
    const service = await SocketStandIn.start(answerStreaming);
    const stream = await clientOf(service, { reconnectForMs: 200 }).stream();
    service.stop();
    await expect(stream.next()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('tells the service when it is closed, also when that had not answered yet', async () => {
    const service = await SocketStandIn.start(answerStreaming);
    (await clientOf(service).stream()).close();
    await until('it is told', () => service.of('unstream').length === 1);
    const late: (() => void)[] = [];
    service.onFrame = (frame, peer) => void late.push(() => answerStreaming(frame, peer));
    const opening = clientOf(service, { requestTimeoutMs: 1_500 }).stream();
    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
    for (const answer of late) answer();
    await until('it is told again', () => service.of('unstream').length === 2);
  });
});
