// Publishes on a bus in memory whose events are kept in a store, and prints the id of each that was acknowledged, until it is killed.
import { EventBus } from '@event-manager/core';
import { LevelDBEventStore } from '@event-manager/level';

const bus = new EventBus({ name: 'publisher', eventStore: new LevelDBEventStore(process.argv[2]!) });

async function publisher(): Promise<void> {
  for (let n = 0; ; n++) {
    const result = await bus.publish({ type: 'counted', data: { n } });
    if ('id' in result) process.stdout.write(`${result.id}\n`);
  }
}

await Promise.all([publisher(), publisher(), publisher()]);
