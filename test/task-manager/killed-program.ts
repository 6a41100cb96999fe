/** Opens the tasks of a folder, gives one command and ends itself without warning when so many of its events are in the log. */
import { EventBus } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { EnhancedTaskService } from '../../examples/task-manager/tasks/enhanced-task-service.ts';
import { TaskRepository } from '../../examples/task-manager/tasks/task-repository.ts';
import { COMMANDS } from './several-events.ts';

const [directory, name, count] = process.argv.slice(2) as [string, keyof typeof COMMANDS, string];
const bus = new EventBus({ adapter: journal({ directory }) });
const repository = await TaskRepository.rebuild(bus.eventManager);
let left = Number(count);
const tasks = new EnhancedTaskService(repository, {
  bus: {
    publish: async (...event: [never]) => {
      if (left-- === 0) process.kill(process.pid, 'SIGKILL');
      return bus.publish(...event);
    },
  },
});
await COMMANDS[name](tasks);
