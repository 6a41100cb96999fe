// A program that was written for an EventEmitter moves to the bus, one listener after the other.
// #region before
import { EventEmitter } from 'node:events';

function projects(emitter: EventEmitter): void {
  emitter.on('project.created', (project) => console.log(`mail to ${project.owner}`));
  emitter.emit('project.created', { projectId: '1', owner: 'ann' });
}
projects(new EventEmitter());

// #endregion

// #region shim
import { BusEventEmitter, EventBus } from '@event-manager/core';

const onListenerError = (error: unknown, type: string) => console.log(`a listener of ${type} failed: ${error}`);
await using bus = new EventBus({ name: 'projects', onListenerError });
const emitter = new BusEventEmitter(bus);
projects(emitter); // the same code: it is an EventEmitter
// #endregion

// #region both
await bus.subscribe('project.*', (event) => console.log(`stored: ${event.type} ${event.payload.projectId}`));
emitter.onEvent('project.deleted', (project) => console.log(`tidied up after ${project.projectId}`));

emitter.emitEvent('project.deleted', { projectId: '1' }); // listeners here at once, and the bus
await emitter.flush();
await bus.publish('project.deleted', 'project.deleted', { projectId: '2' }); // listeners here hear others, too
// #endregion

// #region signals
bus.on('project.*', (project, type) => console.log(`${type}: ${project.projectId}`));
bus.once('project.archived', () => {
  throw new Error('this stops nobody');
});
bus.emit('project.archived', { projectId: '3' });
bus.off('project.*');
// #endregion

// #region after
const id = await bus.subscribe(
  'project.created',
  async (event) => console.log(`mail to ${event.payload.owner}, attempt 1 of 4 at the most`),
  { maxRetries: 3 },
);
await bus.publish({ type: 'project.created', data: { projectId: '4', owner: 'ben' } });
await bus.unsubscribe(id);
// #endregion
