import { EventManagerError, type JsonValue } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { Requests } from '../../src/peers/requests.ts';
import { runtimeOn } from '../open-engine.ts';
import { LetterBox } from './letter-box.ts';

async function asking() {
  const box = new LetterBox();
  const [a, b] = [box.peers('a'), box.peers('b')];
  const requests = [a, b].map(({ peers, timers }) => {
    return new Requests(peers, runtimeOn(box.time, timers), (error) => box.failures.push(error));
  });
  for (const { peers } of [a, b]) peers.start();
  await box.time.advance(100);
  return { box, a, b, asker: requests[0]!, answerer: requests[1]! };
}

const holds = (kind: string) => (_from: string, _to: string, value: JsonValue) =>
  JSON.stringify(value).includes(`"kind":"${kind}"`);

describe('questions to another process', () => {
  it('are answered, and its refusal is the one that it gave', async () => {
    const { box, asker, answerer } = await asking();
    answerer.serve('double', async ({ n }) => {
      if (typeof n !== 'number') throw new EventManagerError('invalid_request', 'A number.', { pointer: '/n' });
      return { answer: () => ({ n: n * 2 }) };
    });
    const { answer } = await box.time.run(asker.ask('b', 'double', { n: 21 }, { limitMs: 1_000 }));
    expect(answer).toEqual({ n: 42 });
    const refused = box.time.run(asker.ask('b', 'double', { n: 'x' }, { limitMs: 1_000 }));
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', details: { pointer: '/n' } });
  });

  it('are done once, however often they and their answers are lost', async () => {
    const { box, asker, answerer } = await asking();
    let done = 0;
    answerer.serve('count', async () => {
      const times = ++done;
      return { answer: () => ({ times }) };
    });
    let letters = 0;
    box.lost = (...letter) => (holds('ask')(...letter) || holds('answer')(...letter)) && ++letters <= 5;
    const { answer } = await box.time.run(asker.ask('b', 'count', {}, { limitMs: 10_000 }));
    expect([answer, done]).toEqual([{ times: 1 }, 1]);
  });

  it('end when there is no answer in time, when the process is gone, and for one that is unknown', async () => {
    const { box, b, asker, answerer } = await asking();
    answerer.serve('hang', () => new Promise(() => {}));
    const ask = (to: string, limitMs: number) => asker.ask(to, 'hang', {}, { limitMs });
    await expect(box.time.run(ask('b', 2_000))).rejects.toMatchObject({ code: 'unreachable' });
    await expect(box.time.run(ask('z', 2_000))).rejects.toMatchObject({ code: 'unreachable' });
    const asked = ask('b', 60_000);
    b.timers.end();
    await expect(box.time.run(asked, 10_000)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('that nobody wants answered any more are broken off, and undone when they were done', async () => {
    const { box, asker, answerer } = await asking();
    const undone: string[] = [];
    answerer.serve('lease', async (_request, signal) => {
      signal.addEventListener('abort', () => undone.push('broken off'));
      await box.time.wait(1_000);
      return { answer: () => ({}), undo: () => void undone.push('undone') };
    });
    const abort = new AbortController();
    const asked = asker.ask('b', 'lease', {}, { limitMs: 10_000, signal: abort.signal }).catch(() => {});
    await box.time.advance(100);
    abort.abort();
    await box.time.advance(2_000);
    await asked;
    expect(undone).toEqual(['broken off', 'undone']);
    box.lost = holds('answer');
    await box.time.run(asker.ask('b', 'lease', {}, { limitMs: 3_000 }).catch(() => {}));
    await box.time.advance(100);
    expect(undone.filter((what) => what === 'undone').length).toBe(2);
  });

  /** If it threw, one answer would end the engine of the process that was asked. */
  it('are refused when they or their answers fit into no letter, and what was done is undone', async () => {
    const { box, asker, answerer } = await asking();
    const large = 'ü'.repeat(40_000);
    let [done, undone] = [0, 0];
    answerer.serve('much', async () => {
      done++;
      return { answer: () => ({ large }), undo: () => void undone++ };
    });
    answerer.serve('fail', async () => {
      throw new EventManagerError('invalid_request', 'No.', { pointer: large });
    });
    const ask = (what: string, request = {}) => box.time.run(asker.ask('b', what, request, { limitMs: 5_000 }));
    // The first answer is lost: it is asked for again, and is the same.
    let answers = 0;
    box.lost = (...letter) => holds('answer')(...letter) && ++answers === 1;
    await expect(ask('much')).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('answer') });
    await expect(ask('fail')).rejects.toMatchObject({ code: 'internal' });
    await expect(ask('much', { large })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('question'),
    });
    await box.time.advance(10_000);
    expect([done, undone, answers, box.failures]).toEqual([1, 1, 3, []]);
  });
});
