import { journal } from '@event-manager/journal';
import { sampleEvent } from './sample-event.ts';

/** Opens the journal of the directory given as argument, appends one event, says so, and stays until it is killed. */
const adapter = journal({ directory: process.argv[2]! });
await adapter.open();
await adapter.store.append([sampleEvent(1)]);
process.stdout.write('open\n');
setInterval(() => {}, 60_000);
