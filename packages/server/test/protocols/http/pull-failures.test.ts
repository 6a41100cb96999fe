import { EventManagerError, memory } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { call, postJson, sample } from '../../running-service.ts';
import { serveOver } from '../../serve-over.ts';

/** Whoever reads the document alone would take it for an answer that never comes. */
it('says in the document that a delivery cannot be answered any more after a failure', async () => {
  const adapter = memory();
  const { state } = adapter;
  const commit = state.commit.bind(state);
  let fails = false;
  state.commit = async (changes) => {
    if (fails) throw new EventManagerError('store_failed', 'The store takes nothing.');
    return commit(changes);
  };
  const { url, http, engine } = await serveOver(adapter);
  onTestFinished(async () => {
    await http.close();
    // It says once more why it stopped.
    await expect(engine.close()).rejects.toMatchObject({ code: 'store_failed' });
  });
  const { id } = (await postJson(`${url}/subscriptions`, { name: 's', topic: '#' })).body;
  const path = `${url}/subscriptions/${id}`;
  for (let n = 0; n < 2; n++) await postJson(`${url}/events`, sample());
  const [first, second] = (await postJson(`${path}/pull`, { max: 2 })).body.deliveries;
  fails = true;
  await postJson(`${path}/ack`, { deliveries: [first.delivery] });
  let refused = { status: 200, body: {} as { code?: string } };
  while (refused.status === 200) refused = await postJson(`${path}/extend`, { deliveries: [second.delivery] });
  expect(refused).toMatchObject({ status: 503, body: { code: 'store_failed' } });
  const { paths } = (await call(`${url}/openapi.json`)).body;
  for (const what of ['ack', 'nack', 'extend']) {
    expect(JSON.stringify(paths[`/subscriptions/{id}/${what}`].post.responses['503'])).toContain('store_failed');
  }
});
