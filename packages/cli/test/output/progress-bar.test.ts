import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { ProgressBar } from '../../src/output/progress-bar.ts';

function drawn(environment: Record<string, string>, depth: number, columns = 100) {
  let text = '';
  const written = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const stream = Object.assign(written, { isTTY: true, columns, getColorDepth: () => depth });
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const bar = new ProgressBar({ stream, clock, environment, unit: 'events' });
  return {
    at(ms: number, done: number, total?: number) {
      nowMs = ms;
      text = '';
      bar.update(done, total);
      return text;
    },
    end() {
      text = '';
      bar.end();
      return text;
    },
  };
}

it('draws ten times a second at most, in one line, and leaves nothing behind', () => {
  const bar = drawn({}, 1, 60);
  expect(bar.at(0, 1)).toBe('\r\u001b[K1 events');
  expect(bar.at(50, 2)).toBe('');
  expect(bar.at(2_000, 3_000)).toBe('\r\u001b[K3,000 events  1,500/s');
  expect(bar.at(4_000, 5_000, 10_000)).toContain('████████████░░░░░░░░░░░░ 50 %');
  expect(bar.at(5_000, 5_000, 10_000).length).toBeLessThan(65);
  expect(bar.end()).toBe('\r\u001b[K');
  expect(bar.end()).toBe('');
});

it('is coloured where that is wanted, and nowhere else', () => {
  const colour = '\u001b[36m';
  expect(drawn({}, 8).at(0, 1, 2)).toContain(colour);
  expect(drawn({}, 1).at(0, 1, 2)).not.toContain(colour);
  expect(drawn({ NO_COLOR: '1' }, 8).at(0, 1, 2)).not.toContain(colour);
});

it('is not there without a terminal', () => {
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  const bar = new ProgressBar({ stream: undefined, clock, environment: {}, unit: 'events' });
  bar.update(1, 2);
  bar.end();
});
