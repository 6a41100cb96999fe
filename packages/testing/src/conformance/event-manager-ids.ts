import type { EventManager } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';

const SOME = '0198c0de-0000-7000-8000-00000000000a';

/** Every operation on something that has an id or a name. */
const CALLS: Readonly<Record<string, (events: EventManager, id: never) => Promise<unknown>>> = {
  unsubscribe: (events, id) => events.unsubscribe(id),
  detach: (events, id) => events.detach(id),
  pull: (events, id) => events.pull(id),
  updateSubscription: (events, id) => events.updateSubscription(id, { topic: 'a' }),
  pauseSubscription: (events, id) => events.pauseSubscription(id),
  resumeSubscription: (events, id) => events.resumeSubscription(id),
  resetSubscription: (events, id) => events.resetSubscription(id, { to: 'latest' }),
  getSubscription: (events, id) => events.getSubscription(id),
  listKeys: (events, id) => events.listKeys(id),
  releaseKey: (events, id) => events.releaseKey(id, 'key'),
  releaseKeys: (events, id) => events.releaseKeys(id),
  getTopic: (events, id) => events.getTopic(id),
  addTopicSchema: (events, id) => events.addTopicSchema(id, { type: 'object' }),
  removeTopic: (events, id) => events.removeTopic(id),
  registerContext: (events, id) => events.registerContext(id, { userIds: ['u'] }),
  getContext: (events, id) => events.getContext(id),
  removeContext: (events, id) => events.removeContext(id),
  getEvent: (events, id) => events.getEvent(id),
  getEventGraph: (events, id) => events.getEventGraph(id),
  listDeliveries: (events, id) => events.listDeliveries(id),
  'why of a subscription': (events, id) => events.why(id, SOME),
  'why of an event': (events, id) => events.why(SOME, id),
  getDeadLetter: (events, id) => events.getDeadLetter(id),
  getRun: (events, id) => events.getRun(id),
  pauseRun: (events, id) => events.pauseRun(id),
  resumeRun: (events, id) => events.resumeRun(id),
  cancelRun: (events, id) => events.cancelRun(id),
  getRunReport: (events, id) => events.getRunReport(id),
  getScheduled: (events, id) => events.getScheduled(id),
  cancelScheduled: (events, id) => events.cancelScheduled(id),
  getProjection: (events, id) => events.getProjection(id),
  getProjectionState: (events, id) => events.getProjectionState(id),
  listProjectionKeys: (events, id) => events.listProjectionKeys(id),
  removeProjection: (events, id) => events.removeProjection(id),
};

/** What is asked of something that is not named by a text: a slip of a program, told as such and never as a name of that sound. */
export function idsConformance(start: StartEventManager): void {
  describe('an id that is no text', () => {
    it('is refused by every operation, with a code', async () => {
      const { events } = await start();
      const wrong: string[] = [];
      for (const [name, call] of Object.entries(CALLS)) {
        for (const id of [undefined, null, 7, { id: SOME }, '', '\ud800']) {
          const error = await call(events, id as never).catch((reason: unknown) => reason);
          const { code } = (error ?? {}) as { readonly code?: string };
          if (code !== 'invalid_request') wrong.push(`${name}(${JSON.stringify(id)}): ${code ?? error}`);
        }
      }
      expect(wrong).toEqual([]);
    });

    it('says so where the thing itself was given', async () => {
      const { events } = await start();
      await expect(events.getRun({ id: SOME } as never)).rejects.toThrow(/Give its id/);
    });
  });
}
