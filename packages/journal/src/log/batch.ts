import { type Appendable, type Appended, sameContent } from '@event-manager/core';
import { bodyOf, decodeUncheckedHeader } from '../format/record.ts';
import { viewOf } from '../format/view-of.ts';
import type { ActiveSegment } from './active-segment.ts';
import { type BatchBuffer, estimateRecordBytes, type RecordPlacement } from './batch-buffer.ts';
import type { KnownIds, KnownRecord } from './known-ids.ts';
import type { LogCore } from './log-core.ts';
import { damagedRecord, readRecord } from './read-record.ts';

/** One call of `append` that waits for its answer, or a part of a large one. */
export interface Call {
  readonly events: readonly Appendable[];
  /** Four words per event. */
  readonly ids: Uint32Array;
  /** The hash of each id, which every lookup begins with. */
  readonly idHashes: Uint32Array;
  /** The part before this one of the same call: once that was refused, this one must not be stored. */
  readonly follows: Call | undefined;
  refusal: unknown;
  readonly resolve: (answers: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/** An event whose id is known: its answer needs the original's body. */
interface Comparison {
  readonly call: number;
  readonly index: number;
  readonly event: Appendable;
  readonly original: KnownRecord;
}

const COMPARED_AT_ONCE = 64;

/** The calls that one write makes durable, and what is to be answered to each. */
export class Batch {
  readonly #core: LogCore;
  readonly #known: KnownIds;
  readonly #calls: readonly Call[];
  readonly #answers: Appended[][];
  readonly #comparisons: Comparison[] = [];
  readonly #sealed = new Map<string, KnownRecord>();
  #active: ActiveSegment | undefined;
  /** Buffer offset minus segment offset. */
  #shift = 0;
  storedCount = 0;
  lastPosition = 0;
  estimatedBytes = 0;

  constructor(core: LogCore, known: KnownIds, calls: readonly Call[]) {
    this.#core = core;
    this.#known = known;
    this.#calls = calls;
    this.#answers = calls.map(({ events }) => new Array<Appended>(events.length));
    this.lastPosition = core.head;
    for (const { events } of calls) for (const event of events) this.estimatedBytes += estimateRecordBytes(event);
  }

  /** Looks up the ids that a sealed segment may hold. Waits for nothing when there is none, as nearly always. */
  async findSealed(): Promise<void> {
    for (const { events, ids, idHashes } of this.#calls) {
      for (let index = 0; index < events.length; index++) {
        const hash = idHashes[index]!;
        const candidates = this.#known.sealedCandidates(hash);
        if (candidates === undefined) continue;
        const found = await this.#known.findSealed(ids, index * 4, hash, candidates);
        if (found !== undefined) this.#sealed.set(events[index]!.id, found);
      }
    }
  }

  /** Encodes every event with a new id and enters it in the index; the others are put down for comparison. */
  encode(active: ActiveSegment, buffer: BatchBuffer, recordedAtMs: number): void {
    this.#active = active;
    active.beginBatch(buffer);
    this.#shift = buffer.length - active.nextOffset;
    for (let call = 0; call < this.#calls.length; call++) {
      const { events } = this.#calls[call]!;
      for (let index = 0; index < events.length; index++) {
        const event = events[index]!;
        const original = this.#originalOf(this.#calls[call]!, index);
        if (original !== undefined) this.#comparisons.push({ call, index, event, original });
        else this.#answers[call]![index] = this.#store(active, buffer, this.#calls[call]!, index, recordedAtMs);
      }
    }
  }

  /** Resolves with the answers once every known id is told apart: same content or another. */
  async compareDuplicates(buffer: BatchBuffer): Promise<readonly (readonly Appended[])[]> {
    for (let from = 0; from < this.#comparisons.length; from += COMPARED_AT_ONCE) {
      const some = this.#comparisons.slice(from, from + COMPARED_AT_ONCE);
      await Promise.all(some.map((comparison) => this.#compare(comparison, buffer)));
    }
    return this.#answers;
  }

  #originalOf({ events, ids, idHashes }: Call, index: number): KnownRecord | undefined {
    const original = this.#known.findInMemory(ids, index * 4, idHashes[index]!);
    return original ?? (this.#sealed.size === 0 ? undefined : this.#sealed.get(events[index]!.id));
  }

  #store(
    active: ActiveSegment,
    buffer: BatchBuffer,
    { events, ids, idHashes }: Call,
    index: number,
    recordedAtMs: number,
  ): Appended {
    const event = events[index]!;
    const idAt = index * 4;
    const previous = this.lastPosition;
    const position = previous + 1;
    const { seed, bytes: durableMark } = active.segment;
    const placement = { position, recordedAtMs, ids, idAt, durableMark, seed };
    addToSegment(active, buffer, event, placement, idHashes[index]!, this.#shift);
    this.lastPosition = position;
    this.storedCount++;
    return { status: 'stored', place: { partition: 0, position }, recordedAtMs, previous };
  }

  async #compare({ call, index, event, original }: Comparison, buffer: BatchBuffer): Promise<void> {
    const place = { partition: 0, position: original.position };
    const body = await this.#bodyOf(original, buffer);
    const status = sameContent(body, event.body) ? 'duplicate' : 'conflict';
    this.#answers[call]![index] = { status, place };
  }

  async #bodyOf({ segment, ordinal, position }: KnownRecord, buffer: BatchBuffer): Promise<Uint8Array> {
    const offset = await segment.index.offsetOf(ordinal);
    if (segment === this.#active?.segment && position > this.#core.head) {
      const at = offset + this.#shift;
      return bodyOf(buffer.bytes, at, decodeUncheckedHeader(viewOf(buffer.bytes), at));
    }
    const raw = await readRecord(this.#core.files, segment, offset, position);
    if (raw !== undefined) return bodyOf(raw.bytes, 0, raw.header);
    throw damagedRecord(this.#core, segment, offset, position);
  }
}

/** Encodes an event and enters it in the index of its segment. `shift` is its buffer offset minus its segment offset. */
export function addToSegment(
  { index }: ActiveSegment,
  buffer: BatchBuffer,
  event: Appendable,
  placement: RecordPlacement,
  idHash: number,
  shift: number,
): void {
  const { position, recordedAtMs, ids, idAt } = placement;
  const at = buffer.addRecord(event, placement);
  index.add({
    position,
    recordedAtMs,
    lane: event.lane,
    offset: at - shift,
    ids,
    idAt,
    idHash,
    names: {
      topic: event.topic,
      type: event.type,
      source: event.source,
      correlationId: event.correlationId ?? '',
      userId: event.userId ?? '',
      projectId: event.projectId ?? '',
      causationId: event.causationId ?? '',
    },
  });
}
