import type { JsonValue, StateChange, StateKind, StateStore } from '@event-manager/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StartSubject } from './subject.ts';

const KINDS: readonly StateKind[] = [
  'subscription',
  'topic',
  'progress',
  'owed',
  'blocked',
  'dead-letter',
  'dead-letter-id',
  'attempt',
  'run',
  'run-part',
  'schedule',
  'schedule-due',
  'schedule-event',
  'projection',
  'snapshot',
  'debt-removal',
  'audit',
];

const put = (key: string, value: JsonValue, kind: StateKind = 'topic'): StateChange => ({ kind, key, value });

async function readValue(state: StateStore, key: string, kind: StateKind = 'topic'): Promise<JsonValue | undefined> {
  return (await state.get(kind, [key]))[0]?.value;
}

async function loadKeys(
  state: StateStore,
  options: { prefix?: string; after?: string; limit: number },
): Promise<string[]> {
  const keys: string[] = [];
  let page = await state.load('topic', options);
  for (;;) {
    expect(page.entries.length).toBeLessThanOrEqual(options.limit);
    keys.push(...page.entries.map(({ key }) => key));
    if (page.next === undefined) return keys;
    page = await state.load('topic', { ...options, after: page.next });
  }
}

/** JSON values that a store is tempted to change. `-0` is not among them: JSON text has no place for it. */
const jsonValues = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);

/** Records: `get`, `load` and `commit`. */
export function recordConformance(start: StartSubject): void {
  describe('commit', () => {
    effectsOfCommit(start);
    conditionsOfCommit(start);
    conditionsAcrossProcesses(start);
    valuesOfCommit(start);
  });
  describe('load', () => pagesOfLoad(start));
}

function effectsOfCommit(start: StartSubject): void {
  it('gives growing revisions, and each entry that of the commit that wrote it last', async () => {
    const subject = await start();
    const first = await subject.state.commit([put('a', 1), put('b', 1)]);
    const second = await subject.state.commit([put('b', 2)]);
    await subject.throughReopen();
    const third = await subject.state.commit([put('c', 3)]);
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(await subject.state.get('topic', ['c', 'a', 'none', 'b'])).toEqual([
      { key: 'c', value: 3, revision: third },
      { key: 'a', value: 1, revision: first },
      undefined,
      { key: 'b', value: 2, revision: second },
    ]);
  });

  it('deletes where no value is given, and deleting what is not there is no mistake', async () => {
    const subject = await start();
    await subject.state.commit([put('a', 1), put('b', null)]);
    await subject.state.commit([
      { kind: 'topic', key: 'a' },
      { kind: 'topic', key: 'none' },
    ]);
    await subject.throughReopen();
    expect(await subject.state.get('topic', ['a', 'none'])).toEqual([undefined, undefined]);
    expect(await readValue(subject.state, 'b')).toBe(null);
    expect(await loadKeys(subject.state, { limit: 10 })).toEqual(['b']);
  });

  it('keeps the kinds apart', async () => {
    const subject = await start();
    await subject.state.commit(KINDS.map((kind) => put('same', kind, kind)));
    await subject.state.commit([{ kind: 'owed', key: 'same' }]);
    await subject.throughReopen();
    for (const kind of KINDS) {
      const expected = kind === 'owed' ? undefined : kind;
      expect(await readValue(subject.state, 'same', kind)).toBe(expected);
      expect((await subject.state.load(kind, { limit: 10 })).entries).toHaveLength(kind === 'owed' ? 0 : 1);
    }
  });
}

function conditionsOfCommit(start: StartSubject): void {
  it('writes only at the revision that was expected, where 0 means not there', async () => {
    const subject = await start();
    const revision = await subject.state.commit([{ ...put('a', 1), ifRevision: 0 }]);
    await subject.throughReopen();
    const stale = subject.state.commit([{ ...put('a', 9), ifRevision: 0 }]);
    await expect(stale).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'a' } });
    const wrong = subject.state.commit([{ kind: 'topic', key: 'a', ifRevision: revision + 1 }]);
    await expect(wrong).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'a' } });
    const second = await subject.state.commit([{ ...put('a', 2), ifRevision: revision }]);
    await subject.state.commit([{ kind: 'topic', key: 'a', ifRevision: second }]);
    await subject.state.commit([{ ...put('a', 3), ifRevision: 0 }]);
    expect(await readValue(subject.state, 'a')).toBe(3);
  });

  it('does all or nothing', async () => {
    const subject = await start();
    await subject.state.commit([put('kept', 1), put('gone?', 1)]);
    const refused = subject.state.commit([
      put('new', 1),
      put('kept', 2),
      { kind: 'topic', key: 'gone?' },
      put('elsewhere', 1, 'audit'),
      { ...put('guard', 1), ifRevision: 4711 },
    ]);
    await expect(refused).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'guard' } });
    await subject.throughReopen();
    expect(await loadKeys(subject.state, { limit: 10 })).toEqual(['gone?', 'kept']);
    expect(await readValue(subject.state, 'kept')).toBe(1);
    expect(await readValue(subject.state, 'elsewhere', 'audit')).toBeUndefined();
  });

  it('lets exactly one of concurrent writers win a revision', async () => {
    const { state } = await start();
    const revision = await state.commit([put('a', 'start')]);
    const calls = Array.from({ length: 20 }, (_, n) => state.commit([{ ...put('a', n), ifRevision: revision }]));
    const settled = await Promise.allSettled(calls);
    const winners = settled.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
    expect(winners).toHaveLength(1);
    expect(await readValue(state, 'a')).toBe(winners[0]);
  });

  it('keeps concurrent commits in the order of calling', async () => {
    const { state } = await start();
    await Promise.all(Array.from({ length: 50 }, (_, n) => state.commit([put('a', n), put(`k${n % 7}`, n)])));
    expect(await readValue(state, 'a')).toBe(49);
    expect(await readValue(state, 'k0')).toBe(49);
  });
}

function conditionsAcrossProcesses(start: StartSubject): void {
  /** What one process expects of a record must not come true of one that another process made in its place. */
  it('takes an entry that was deleted and made again for another one, also where it says the same', async () => {
    const subject = await start();
    const former = await subject.state.commit([{ ...put('a', 1), ifRevision: 0 }]);
    await subject.state.commit([{ kind: 'topic', key: 'a' }]);
    const gone = subject.state.commit([{ ...put('a', 2), ifRevision: former }]);
    await expect(gone).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'a' } });
    await subject.throughReopen();
    const again = await subject.state.commit([{ ...put('a', 1), ifRevision: 0 }]);
    const stale = subject.state.commit([{ ...put('a', 2), ifRevision: former }]);
    await expect(stale).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'a' } });
    expect(await readValue(subject.state, 'a')).toBe(1);
    await subject.state.commit([{ ...put('a', 2), ifRevision: again }]);
    expect(await readValue(subject.state, 'a')).toBe(2);
  });

  it('may be a condition alone: that something is not there', async () => {
    const { state } = await start();
    await state.commit([{ kind: 'topic', key: 'a', ifRevision: 0 }, put('b', 1)]);
    await state.commit([put('a', 1)]);
    const refused = state.commit([{ kind: 'topic', key: 'a', ifRevision: 0 }, put('b', 2)]);
    await expect(refused).rejects.toMatchObject({ code: 'revision_conflict', details: { key: 'a' } });
    expect(await readValue(state, 'a')).toBe(1);
    expect(await readValue(state, 'b')).toBe(1);
  });
}

function valuesOfCommit(start: StartSubject): void {
  it('keeps values of every JSON shape', async () => {
    const subject = await start();
    let written = new Map<string, JsonValue>();
    await fc.assert(
      fc.asyncProperty(fc.array(jsonValues, { minLength: 1, maxLength: 5 }), async (values) => {
        written = new Map(values.map((value, n) => [`v${n}`, value]));
        await subject.state.commit([...written].map(([key, value]) => put(key, value)));
        for (const [key, value] of written) expect(await readValue(subject.state, key)).toEqual(value);
      }),
      { numRuns: 40 },
    );
    await subject.throughReopen();
    for (const [key, value] of written) expect(await readValue(subject.state, key)).toEqual(value);
  });

  it('keeps odd keys and members, deep values and big ones', async () => {
    const subject = await start();
    const deep = JSON.parse(`${'['.repeat(60)}1${']'.repeat(60)}`) as JsonValue;
    const proto = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "": "\\u0000"}') as JsonValue;
    const big = { text: 'ü'.repeat(1024 * 1024), list: Array.from({ length: 10_000 }, (_, n) => n) };
    const entries: [string, JsonValue][] = [
      ['__proto__', 'key'],
      ['', 'empty key'],
      ['k'.repeat(512), 'long key'],
      ['ключ/日本/\u{1f600} "quoted" \\', 'text'],
      ['deep', deep],
      ['proto', proto],
      ['big', big],
      ['number', 1.7976931348623157e308],
    ];
    await subject.state.commit(entries.map(([key, value]) => put(key, value)));
    await subject.throughReopen();
    for (const [key, value] of entries) {
      expect(JSON.stringify(await readValue(subject.state, key))).toBe(JSON.stringify(value));
    }
  });

  it('shares no memory with its callers', async () => {
    const { state } = await start();
    const value = { list: [1] };
    const commit = state.commit([put('a', value)]);
    value.list.push(2);
    await commit;
    const read = (await readValue(state, 'a')) as { list: number[] };
    expect(read).toEqual({ list: [1] });
    read.list.push(3);
    expect(await readValue(state, 'a')).toEqual({ list: [1] });
  });
}

function pagesOfLoad(start: StartSubject): void {
  it('gives pages in the order of keys by UTF-16 code units', async () => {
    const subject = await start();
    // By code points the surrogate pair would come last, by most locales `a` before `B`.
    const keys = ['', '!', 'B', 'a', 'a/', 'a/1', 'a/10', 'a/2', 'ab', 'ä', '\u{1f600}', '\uffee'];
    await subject.state.commit(keys.toReversed().map((key) => put(key, 0)));
    await subject.throughReopen();
    for (const limit of [1, 5, 12, 100]) expect(await loadKeys(subject.state, { limit })).toEqual(keys);
    expect((await subject.state.load('topic', { limit: keys.length })).next).toBeUndefined();
    expect(await loadKeys(subject.state, { prefix: 'a', limit: 2 })).toEqual(['a', 'a/', 'a/1', 'a/10', 'a/2', 'ab']);
    expect(await loadKeys(subject.state, { prefix: 'a/', after: 'a/1', limit: 5 })).toEqual(['a/10', 'a/2']);
    expect(await loadKeys(subject.state, { after: 'a/zzz', limit: 5 })).toEqual(['ab', 'ä', '\u{1f600}', '\uffee']);
    expect(await loadKeys(subject.state, { prefix: 'none', limit: 5 })).toEqual([]);
  });

  it('gives values and revisions, and keeps up with keys that come and go', async () => {
    const { state } = await start();
    const revision = await state.commit([put('b', { n: 1 })]);
    expect((await state.load('topic', { limit: 5 })).entries).toEqual([{ key: 'b', value: { n: 1 }, revision }]);
    await state.commit([put('a', 1), put('c', 1)]);
    expect(await loadKeys(state, { limit: 5 })).toEqual(['a', 'b', 'c']);
    await state.commit([{ kind: 'topic', key: 'b' }]);
    expect(await loadKeys(state, { limit: 5 })).toEqual(['a', 'c']);
  });
}
