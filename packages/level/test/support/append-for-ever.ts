// Appends events to a store and prints the number of each that was acknowledged, until it is killed or the store takes no more.
import { LevelDBEventStore } from '@event-manager/level';
import { sampleEvent } from '@event-manager/testing/conformance';

const store = new LevelDBEventStore(process.argv[2]!);
const from = Number(process.argv[3] ?? 0);
let failed = false;

async function writer(first: number, step: number): Promise<void> {
  for (let n = first; !failed; n += step) {
    try {
      await store.append([sampleEvent(n, { payload: 'x'.repeat(200) })]);
      process.stdout.write(`${n}\n`);
    } catch (error) {
      failed = true;
      process.stdout.write(`failed ${(error as { code: string }).code} ${store.failure === error}\n`);
    }
  }
}

await Promise.all([0, 1, 2, 3].map((at) => writer(from + at, 4)));
