/**
 * How runs are kept. `run` has one record for each by its id, which grows with time, and `run-part` one for each of its
 * subscriptions, under the subscription first: whoever begins to serve that finds what it is to do by one look.
 *
 * Whoever controls a run writes the first, whoever serves the subscription the second, under its lease. So the two never
 * overwrite each other. A mark beside the runs changes with every word about one: other processes look at it alone.
 */
import type { Revision, StateChange, StateStore } from '../contracts/state-store.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { statePages } from '../state-pages.ts';
import type { RunFailure, RunPart, RunRecord } from './run.ts';

/** Before every id. */
const MARK = '!';

export interface KeptRun {
  readonly record: RunRecord;
  readonly revision: Revision;
}

export function partPrefix(subscriptionId: string): string {
  return `${subscriptionId}/`;
}

/** Before the records of queues that replay something: beneath those of the subscription, where nobody looks for another's. */
export function replaysPrefix(subscriptionId: string): string {
  return `${subscriptionId}/~`;
}

export function partKey(subscriptionId: string, runId: string): string {
  return `${partPrefix(subscriptionId)}${runId}`;
}

/** Of a delivery that a run gave up on. */
export function reportKey(runId: string, subscriptionId: string, name: string): string {
  return `${runId}/${subscriptionId}/${name}`;
}

export function partChange(runId: string, part: RunPart): StateChange {
  return { kind: 'run-part', key: partKey(part.subscriptionId, runId), value: part as unknown as JsonObject };
}

/** Ends the part where it is: nobody is left who could do the rest of it. */
export function goneChange(runId: string, part: RunPart, endedAtMs: number): StateChange {
  return partChange(runId, { ...part, state: 'gone', endedAtMs, at: {} });
}

export interface ReportPage {
  readonly failures: readonly RunFailure[];
  /** Absent on the last page. */
  readonly next?: string;
}

export class RunRecords {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** Changes with every word about a run. */
  async mark(): Promise<Revision> {
    const [mark] = await this.#state.get('run', [MARK]);
    return mark?.revision ?? 0;
  }

  async all(): Promise<readonly KeptRun[]> {
    const runs: KeptRun[] = [];
    for await (const page of statePages(this.#state, 'run')) {
      for (const { key, value, revision } of page) {
        if (key !== MARK) runs.push({ record: value as unknown as RunRecord, revision });
      }
    }
    return runs;
  }

  async get(ids: readonly string[]): Promise<readonly (KeptRun | undefined)[]> {
    const entries = await this.#state.get('run', ids);
    return entries.map((entry) => entry && { record: entry.value as unknown as RunRecord, revision: entry.revision });
  }

  /** Those of a run; one whose subscription is gone is told as `gone`. */
  async partsOf({ id, subscriptionIds }: RunRecord): Promise<readonly RunPart[]> {
    const keys = subscriptionIds.map((subscriptionId) => partKey(subscriptionId, id));
    const entries = await this.#state.get('run-part', keys);
    return entries.map((entry, at) => (entry?.value as unknown as RunPart | undefined) ?? gone(subscriptionIds[at]!));
  }

  /** What is to be done for one subscription, by the id of the run. */
  async openParts(subscriptionId: string): Promise<ReadonlyMap<string, RunPart>> {
    const open = new Map<string, RunPart>();
    const prefix = partPrefix(subscriptionId);
    for await (const page of statePages(this.#state, 'run-part', prefix)) {
      for (const { key, value } of page) {
        const part = value as unknown as RunPart;
        if (part.state === 'open') open.set(key.slice(prefix.length), part);
      }
    }
    return open;
  }

  async create(record: RunRecord, parts: readonly RunPart[]): Promise<void> {
    const partChanges = parts.map((part): StateChange => ({ ...partChange(record.id, part), ifRevision: 0 }));
    await this.#state.commit([runChange(record, 0), markChange(record), ...partChanges]);
  }

  /** Throws `revision_conflict` when somebody else said something meanwhile. */
  async say(record: RunRecord, before: Revision): Promise<void> {
    await this.#state.commit([runChange(record, before), markChange(record)]);
  }

  /** With what parts that nobody serves have left: of a run that was cancelled nobody comes to do that. */
  async remove(record: RunRecord): Promise<void> {
    const { id, subscriptionIds } = record;
    const open = (await this.partsOf(record)).filter(({ state }) => state === 'open');
    const changes = subscriptionIds.map((of): StateChange => ({ kind: 'run-part', key: partKey(of, id) }));
    for await (const page of statePages(this.#state, 'run-report', `${id}/`)) {
      for (const { key } of page) changes.push({ kind: 'run-report', key });
    }
    for (const { subscriptionId } of open) {
      for (const kind of ['progress', 'owed', 'blocked'] as const) {
        for await (const page of statePages(this.#state, kind, `${replaysPrefix(subscriptionId)}${id}/`)) {
          for (const { key } of page) changes.push({ kind, key });
        }
      }
    }
    await this.#state.commit([{ kind: 'run', key: id }, ...changes]);
  }

  /** What a run gave up on, behind `after`, by subscription and then in the order of the log. */
  async report(id: string, after: string, limit: number): Promise<ReportPage> {
    const prefix = `${id}/`;
    const behind = after === '' ? {} : { after: `${prefix}${after}` };
    const { entries, next } = await this.#state.load('run-report', { prefix, limit, ...behind });
    const failures = entries.map(({ value }) => value as unknown as RunFailure);
    return { failures, ...(next === undefined ? {} : { next: next.slice(prefix.length) }) };
  }
}

function runChange(record: RunRecord, ifRevision: Revision): StateChange {
  return { kind: 'run', key: record.id, value: record as unknown as JsonValue, ifRevision };
}

function markChange({ id }: RunRecord): StateChange {
  return { kind: 'run', key: MARK, value: { last: id } };
}

function gone(subscriptionId: string): RunPart {
  return { subscriptionId, state: 'gone', counts: { done: 0, failed: 0, skipped: 0 }, at: {} };
}
