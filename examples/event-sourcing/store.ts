// A bus in memory whose events are kept in LevelDB, and what can be done with them after a restart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'event-manager-events-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

// #region set
import { EventBus, EventReplayService } from '@event-manager/core';
import { LevelDBEventStore } from '@event-manager/level';

const first = new EventBus({ name: 'tracker' });
first.setEventStore(new LevelDBEventStore(folder));
await first.publish('task/created', 'task_created', { title: 'Write it down' });
await first.publish('task/deleted', 'task_deleted', { title: 'Write it down' });
await first.close();
// #endregion

// #region replay
await using second = new EventBus({ name: 'tracker', eventStore: new LevelDBEventStore(folder) });
await second.subscribe('task.*', ({ type, data }, { replay }) => {
  console.log(`${type} ${data.title}${replay ? ', once more' : ''}`);
});

const service = new EventReplayService(second.eventStore);
const report = await service.replayEvents({ bus: second, types: ['task_created'] });
console.log(`${report.replayed} replayed, ${report.failed} failed, up to position ${report.position}`);
await second.publish('task/created', 'task_created', { title: 'Another' });
// #endregion

// #region list
const { events } = await service.replayEvents();
console.log(events.map(({ type }) => type));
// #endregion
