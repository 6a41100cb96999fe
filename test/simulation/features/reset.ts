import {
  ANONYMOUS,
  type DeadLetter,
  type EventBusAdapter,
  EventManagerError,
  encodeCursor,
  type Recorded,
  type SubscriptionReset,
} from '@event-manager/core';
import type { HistoryEntry } from '@event-manager/testing';
import { keptResets } from '../kept-resets.ts';
import type { SimulatedProcess } from '../simulated-process.ts';
import type { Action, Feature, LiveSubscription } from './feature.ts';
import { isAimedAt } from './is-aimed-at.ts';
import { type AskedReset, faultsOfAudit, faultsOfPlace, invokedIn, overwritten, type Target } from './reset-faults.ts';

const KINDS: readonly Target['kind'][] = ['earliest', 'latest', 'time', 'cursor'];
const ACTION_OF: Readonly<Record<Target['kind'], Action>> = {
  earliest: 'reset to earliest',
  latest: 'reset to latest',
  time: 'reset to a time',
  cursor: 'reset to a cursor',
};
const LOOK_EVERY_MS = 500;
/** A letter between processes is not longer on its way, and whoever asked may have died behind it. */
const LETTER_MS_MAX = 5_000;
/** Nobody who tries again and again is refused so often once nothing goes wrong. */
const TRIES_MAX = 10;

/** What was asked for, as far as its end is known. */
interface Asked extends AskedReset {
  readonly process: SimulatedProcess;
  done?: SubscriptionReset;
  invokedBefore: ReadonlySet<string>;
  isAnswered: boolean;
}

/**
 * Somebody has a subscription go on from another place, again and again, while everything goes wrong. Whatever happens to
 * processes, it stands where it was or where it shall be. What is owed from then on, and nothing else, is judged by the history
 * of its lives (`lives.ts`); here it is judged that each reset happened once, went where it was meant to, and overwrote no letter.
 */
export const reset: Feature = (chance, _subscription, plan) => {
  const isAimed = isAimedAt('reset', plan);
  // What this trims by itself nobody asks a reset about: retention does.
  const isTrimmed = plan.faults.some(({ kind }) => kind === 'trim');
  if (isTrimmed || !(chance.happens(0.3) || isAimed)) return undefined;
  const resets = Array.from({ length: 1 + chance.integer(3) }, () => ({
    afterMs: chance.integer(isAimed ? 1_000 : chance.pick([300, 1_500, 6_000])),
    kind: chance.pick(KINDS),
  }));
  const atTheEnd = chance.happens(0.5) ? chance.pick(KINDS) : undefined;
  const asked: Asked[] = [];
  const letters = new Map<string, DeadLetter>();
  /** Once nothing goes wrong any more nobody but the one at the end asks: what is owed has to stay what it is. */
  const ask = (live: LiveSubscription, kind: Target['kind'], isLast: boolean) =>
    askOnce(live, kind, { asked, letters, mayAsk: () => isLast || !live.isHealing });
  return {
    ...{ resets, atTheEnd },
    live(live) {
      if (!isFit(live)) return;
      for (const { afterMs, kind } of resets) live.time.after(afterMs, () => void ask(live, kind, false));
    },
    async heal(live) {
      if (!isFit(live)) return;
      while (asked.some(isUnderWay)) await live.time.wait(LOOK_EVERY_MS);
      if (asked.some(({ isAnswered }) => !isAnswered)) await live.time.wait(LETTER_MS_MAX);
      for (let tries = 0; atTheEnd && tries < TRIES_MAX; tries++) {
        if ((await ask(live, atTheEnd, true))?.done) break;
        await live.time.wait(LOOK_EVERY_MS);
      }
    },
    async judge(_report, live) {
      if (!isFit(live)) return [];
      const { adapter } = live.anyProcess()!;
      const kept = await keptResets(adapter, live.id);
      const now = await keptLetters(live, adapter);
      const log = await wholeLog(live, adapter);
      for (const { note } of kept) {
        const target = asked.find((each) => each.note === note)?.target;
        if (target) live.did(ACTION_OF[target.kind]);
      }
      if (kept.some(({ firstRound }) => firstRound > 0)) live.did('reset over dead letters');
      return [...faultsOfAudit(kept, asked), ...faultsOfPlace(kept, asked, log), ...overwritten(letters, now)];
    },
  };
};

/** At twelve attempts a minute what is owed once more takes longer than a run lasts. */
function isFit({ plan }: LiveSubscription): boolean {
  return !('rateLimit' in plan.traits);
}

/** Its end may still be heard of. */
function isUnderWay({ isAnswered, process }: Asked): boolean {
  return !isAnswered && process.isAlive;
}

async function askOnce(
  live: LiveSubscription,
  kind: Target['kind'],
  { asked, letters, mayAsk }: { asked: Asked[]; letters: Map<string, DeadLetter>; mayAsk: () => boolean },
): Promise<Asked | undefined> {
  const process = live.anyProcess();
  const engine = process?.engine;
  if (!process || !engine) return undefined;
  const target = await heard(process, aim(live, kind, process));
  const kept = await heard(process, keptLetters(live, process.adapter));
  if (!target || !kept || !process.isAlive || !mayAsk()) return undefined;
  for (const [key, letter] of kept) letters.set(key, letter);
  const note = `${live.plan.name} ${asked.length}`;
  const request: Asked = { note, target, process, invokedBefore: new Set(), isAnswered: false };
  asked.push(request);
  live.note(`reset ${note} to ${kind} ${target.position}`);
  const { resets } = engine.subscriptions;
  const answered = resets.reset(ANONYMOUS, live.id, { to: target.to, note }).then(
    (done) => {
      request.done = done;
      request.invokedBefore = invokedIn(live.history);
    },
    (error: unknown) => {
      if (!(error instanceof EventManagerError)) live.violation(`a reset failed: ${String(error)}`);
    },
  );
  const answeredHere = answered.then(() => {
    request.isAnswered = process.isAlive;
    live.note(`reset ${note} ${request.done ? 'done' : 'refused'}`);
  });
  await Promise.race([answeredHere, process.died]);
  return request;
}

/** What a store says, as long as the process lives that asks and the store does not refuse. */
function heard<T>(process: SimulatedProcess, answer: Promise<T>): Promise<T | undefined> {
  return Promise.race([answer.catch(() => undefined), process.died.then(() => undefined)]);
}

async function aim(live: LiveSubscription, kind: Target['kind'], process: SimulatedProcess): Promise<Target> {
  if (kind === 'earliest' || kind === 'latest') return { kind, to: kind, position: storedThrough(live.history) };
  const stored = live.history.filter((entry) => entry.kind === 'ok' && entry.position !== undefined);
  const chosen = stored.length === 0 ? undefined : live.chance.fork(`${live.plan.name} ${kind}`).pick(stored);
  const [record] = chosen?.kind === 'ok' ? await process.adapter.store.get([chosen.id]) : [];
  // There is nothing yet, or no more.
  if (!record) return { kind: 'earliest', to: 'earliest', position: 0 };
  const { place, recordedAtMs } = record;
  const to = kind === 'time' ? new Date(recordedAtMs) : encodeCursor([place]);
  return { kind, to, position: place.position };
}

function storedThrough(history: readonly HistoryEntry[]): number {
  return history.reduce((most, entry) => Math.max(most, entry.kind === 'ok' ? (entry.position ?? 0) : 0), 0);
}

/** Nothing where retention removed some of it, or was about to: what is removed a reset passes over. */
async function wholeLog(
  { readLog }: LiveSubscription,
  { state }: Pick<EventBusAdapter, 'state'>,
): Promise<readonly Recorded[]> {
  const [mark] = await state.get('audit', ['trim/0']);
  const log = await readLog();
  return mark || (log[0] && log[0].place.position > 1) ? [] : log;
}

/** By their keys, as the store has them. */
async function keptLetters(
  { id }: LiveSubscription,
  { state }: Pick<EventBusAdapter, 'state'>,
): Promise<ReadonlyMap<string, DeadLetter>> {
  const { entries } = await state.load('dead-letter', { prefix: `${id}/`, limit: 10_000 });
  return new Map(entries.map(({ key, value }) => [key, value as unknown as DeadLetter]));
}
