// One instance of a bus on a shared database: `waiting-instance.ts URL NAME`. Tells its parent how many deliveries it made.
import { Engine, type Outcome, type Sink } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { WORK_MS, WORKERS } from './waiting-work.ts';

const TELL_EVERY_MS = 20;
const [url, owner] = process.argv.slice(2) as [string, string];

/** What all sinks of this process share, as they would share a pool of connections to whatever they talk to. */
let free = WORKERS;
const waiting: (() => void)[] = [];
let delivered = 0;

async function deliverOne(): Promise<Outcome> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  await new Promise((resolve) => setTimeout(resolve, WORK_MS));
  const next = waiting.shift();
  if (next === undefined) free++;
  else next();
  delivered++;
  return { status: 'delivered' };
}

const sink = (): Sink => ({ deliver: (batch) => Promise.all(batch.map(deliverOne)), close: async () => {} });
const engine = await Engine.open({ adapter: postgres({ url }), owner, webhookSink: sink });
let told = 0;
const telling = setInterval(() => {
  if (delivered > told) process.send!({ delivered: delivered - told });
  told = delivered;
}, TELL_EVERY_MS);
process.on('message', () => {
  clearInterval(telling);
  void engine.close().then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
process.send!('ready');
