import { expect, it } from 'vitest';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { compileFilter, parseFilter } from '../../src/filter/filter.ts';
import { filterWork } from '../../src/filter/filter-work.ts';
import { normalize } from '../../src/ingest/normalize.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS } from '../../src/principal.ts';

const WRITING = { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 };
const event = (input: object) => decodeEvent(normalize({ type: 'a.b', source: 's', ...input }, WRITING).body);
const several = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index));

/** Far above what it takes, and far below what anybody would notice: a filter must not be able to stop the bus. Of this thread, whatever else the machine does. */
const ONE_EVENT_MS_MAX = 250;

const LARGE = { payload: { t: 'a'.repeat(8_192), long: 'a'.repeat(200_000) } };
const TAGS = { metadata: { tags: several(100, (index) => 'x'.repeat(240) + index) } };

it.each([
  ['wildcards on the longest text they look at', { payload: { t: several(100, () => ({ wildcard: '*ab*' })) } }, LARGE],
  ['wildcards on a longer one', { payload: { long: several(100, () => ({ wildcard: '*ab*' })) } }, LARGE],
  ['wildcards on many tags', { tags: several(100, (n) => ({ anythingBut: { wildcard: `*x${n}*y*` } })) }, TAGS],
  [
    'texts without regard to case',
    { payload: { t: { equalsIgnoreCase: several(900, (n) => `${'İ'.repeat(30)}${n}`) } } },
    { payload: { t: `${'a'.repeat(90)}İ` } },
  ],
  [
    'blocks of addresses',
    { payload: { ip: several(400, (n) => ({ cidr: `2001:db8:${n}::/48` })) } },
    { payload: { ip: '2001:dead::1' } },
  ],
  [
    'objects beside one with as many fields as fit',
    { payload: { o: several(30, (n) => (n === 0 ? {} : { [`z${n}`]: n })) } },
    { payload: { o: Object.fromEntries(several(17_000, (n) => [`k${n}`, n])) } },
  ],
  ['patterns', { types: several(900, (n) => `*.a.*.b.*.c${n}`) }, { type: `${'a.b.'.repeat(15)}c` }],
  [
    'alternatives of alternatives',
    { or: several(100, () => ({ sources: ['t'], or: several(3, () => ({ tags: ['u'] })) })) },
    {},
  ],
])('%s do not hold up others', (_what, input, given) => {
  const filter = parseFilter(input, DEFAULT_LIMITS, '');
  const matches = compileFilter(filter);
  const looked = event(given);
  const before = process.threadCpuUsage();
  matches(looked);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(ONE_EVENT_MS_MAX);
});

it('is compared with few objects as a whole, wherever they stand: each counts the fields of the one in the event', () => {
  const refusal = { code: 'invalid_filter', message: expect.stringContaining('30 objects') };
  for (const input of [
    { payload: { o: several(31, () => ({})) } },
    { payload: { o: several(11, (n) => ({ a: { b: {} }, n })) } },
    { metadata: { o: several(16, (n) => ({ n })) }, or: [{ payload: { o: several(15, () => ({ equals: {} })) } }] },
  ]) {
    expect(() => parseFilter(input, DEFAULT_LIMITS, '')).toThrow(expect.objectContaining(refusal));
  }
  parseFilter(
    { payload: { o: several(30, () => ({})), p: several(100, (n) => ({ prefix: `${n}` })) } },
    DEFAULT_LIMITS,
    '',
  );
});

it('weighs what a filter may cost, and nothing for one as people write them', () => {
  const work = (input: object) => filterWork(parseFilter(input, DEFAULT_LIMITS, ''));
  expect(filterWork(undefined)).toBe(0);
  expect(work({ types: ['order.*'], payload: { total: { numeric: ['>', 10] } } })).toBe(0);
  expect(work({ sources: several(900, (n) => `service-with-a-name-${n}`) })).toBeGreaterThan(4);
  expect(work({ payload: { t: { wildcard: ['*a', '*b'] }, u: { anythingBut: { wildcard: 'c*' } } } })).toBe(30);
});

it('takes no memory for an event that is looked at', () => {
  const filter = {
    minimumPriority: 'NORMAL',
    types: ['order.*', 'user.created'],
    excludeTypes: ['system.heartbeat'],
    userRelevant: true,
    payload: {
      total: { numeric: ['>', 5] },
      'customer.country': { prefix: ['D', 'F'] },
      note: { equalsIgnoreCase: 'NONE' },
    },
  };
  const matches = compileFilter(parseFilter(filter, DEFAULT_LIMITS, ''));
  const payload = { total: 10, customer: { country: 'DE' }, note: 'None' };
  const looked = event({ type: 'order.created', payload, metadata: { userId: 'u' } });
  const rounds = 200_000;
  for (let round = 0; round < rounds; round++) matches(looked);
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < rounds; round++) if (!matches(looked)) throw new TypeError('It has to pass.');
  // A collection in between makes it negative; an object of any kind would be 16 bytes at least.
  expect((process.memoryUsage().heapUsed - before) / rounds).toBeLessThan(8);
});
