/** Why an event that is not in the log did not come: it waits for its time, was refused, is gone, or never was. */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Partition, Recorded } from '../contracts/event-store.ts';
import type { Rejection } from '../ingest/rejections.ts';
import type { ScheduledEvent } from '../schedule/scheduled-event.ts';
import { command, finding, moment } from './finding.ts';
import type { WhyFinding } from './why.ts';

export function scheduledFinding({ id, scheduledFor, acceptedAt }: ScheduledEvent): WhyFinding {
  const words = `It waits for its time: it is published at ${scheduledFor}.`;
  const advice = { words: 'It can be cancelled until then.', command: command('events', 'cancel', id) };
  return finding('scheduled', words, { scheduledFor, acceptedAt }, advice);
}

export function rejectedFinding({ code, reason, pointer, topic, rejectedAt, source }: Rejection): WhyFinding {
  const words = `It was refused when it was published, at ${rejectedAt}, and is stored nowhere: ${reason}`;
  const advice = { words: 'Mend the publisher or the schema of the topic.', command: command('topics', 'get', topic) };
  return finding('rejected', words, { code, reason, pointer, topic, source, rejectedAt }, advice);
}

/** An id of a version that begins with the time tells when it was made. */
export function madeAtMs(id: string): number | undefined {
  return id[14] === '7' ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
}

/** Nothing is kept under the id: gone, as far as one can tell by when the id was made, or never seen. */
export async function unknownFinding(id: string, adapter: EventBusAdapter, partition: Partition): Promise<WhyFinding> {
  const atMs = madeAtMs(id);
  const madeAt = atMs === undefined ? undefined : moment(atMs);
  const { store } = adapter;
  const bounds = (await store.bounds()).find((each) => each.partition === partition);
  if (bounds && bounds.first > 1 && atMs !== undefined) {
    const oldest = bounds.first > bounds.head ? undefined : await recordBehind(adapter, partition, bounds.first - 1);
    const beginsAt = oldest && moment(oldest.recordedAtMs);
    if (!oldest || atMs < oldest.recordedAtMs) {
      const words = `Nothing is kept under this id. It was made at ${madeAt}, and retention has removed ${beginsAt === undefined ? 'all events' : `what was recorded before ${beginsAt}`}.`;
      return finding(
        'removed',
        words,
        { madeAt, beginsAt },
        { words: 'Let retention keep events for longer: see docs/retention.md.' },
      );
    }
  }
  for (const range of adapter.health().lost ?? []) {
    if (range.cause !== 'damaged' || atMs === undefined) continue;
    const before = await recordBefore(adapter, partition, range.from);
    const behind = await recordBehind(adapter, partition, range.through);
    if ((before && atMs < before.recordedAtMs - CLOCKS_MS) || (behind && atMs > behind.recordedAtMs)) continue;
    const words = `Nothing is kept under this id. It was made at ${madeAt}, when the events were recorded that were lost to damage of the store (positions ${range.from} to ${range.through}).`;
    return finding(
      'lost',
      words,
      { madeAt, from: range.from, through: range.through },
      { words: 'Look at the store.', command: command('doctor') },
    );
  }
  const words = 'Nothing is known of an event with this id: it was never stored here, or under another id.';
  return finding(
    'unknown_event',
    words,
    { madeAt },
    {
      words: 'Look what was stored, and what was refused.',
      command: command('events', 'list', '--newest'),
    },
  );
}

/** A publisher makes the id before the store takes the event, and its clock is another one. */
const CLOCKS_MS = 5_000;

async function recordBehind(
  { store }: EventBusAdapter,
  partition: Partition,
  after: number,
): Promise<Recorded | undefined> {
  const { records } = await store.read(partition, after, { limit: 1, bytesMax: 1 });
  return records[0];
}

async function recordBefore(
  { store }: EventBusAdapter,
  partition: Partition,
  position: number,
): Promise<Recorded | undefined> {
  const [record] = await store.get([{ partition, position: position - 1 }]);
  return record;
}
