/** Publishes and folds until it is killed: a program as an application would write it. `folding-program.ts DIRECTORY FIRST`. */
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { COUNTED } from './counted-projection.ts';

const BATCH = 10;
const KEYS = 3;
const [directory = '', first = '0'] = process.argv.slice(2);
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

const events = new EventManager({ adapter: journal({ directory }) });
let folded = 0;
const projection = await events.project({
  ...COUNTED,
  apply: (state, event) => {
    folded++;
    return COUNTED.apply(state, event);
  },
});
await projection.caughtUp();
say({ caughtUp: folded });
for (let n = Number(first); ; n += BATCH) {
  const batch = Array.from({ length: BATCH }, (_, at) => ({
    ...{ type: 'counted', source: 'test', topic: `counted/${(n + at) % KEYS}`, payload: { n: n + at } },
  }));
  await events.publishBatch(batch);
  say({ acknowledged: n + BATCH });
}
