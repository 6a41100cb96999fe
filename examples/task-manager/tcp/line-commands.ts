import type { EnhancedTaskService } from '../tasks/enhanced-task-service.ts';
import { readTaskId, readUserId } from '../tasks/read-input.ts';
import { TaskRefused } from '../tasks/task-refused.ts';
import type { TaskRepository } from '../tasks/task-repository.ts';

export interface LineContext {
  readonly taskService: EnhancedTaskService;
  readonly repository: TaskRepository;
}

/** One connection: whoever said `as` is the one who asks from then on. */
export interface LineSession {
  user: string;
}

type Verb = (context: LineContext, user: string, rest: string) => unknown;

const VERBS: Readonly<Record<string, Verb>> = {
  list: ({ repository }) => repository.snapshot().tasks,
  get: ({ taskService }, _user, rest) => taskService.getTask(readTaskId(rest)),
  create: ({ taskService }, user, rest) => taskService.createTask(jsonOf(rest), user),
  update: ({ taskService }, user, rest) => {
    const [id, json] = split(rest);
    return taskService.updateTask(id, jsonOf(json), user);
  },
  delete: ({ taskService }, user, rest) => taskService.deleteTask(readTaskId(rest), user),
  status: ({ taskService }, user, rest) => taskService.changeStatus(...split(rest), user),
  priority: ({ taskService }, user, rest) => taskService.changePriority(...split(rest), user),
  assign: ({ taskService }, user, rest) => {
    const [id, who] = split(rest);
    return taskService.assignTask(id, who === '' || who === '-' ? null : who, user);
  },
  collaborators: ({ taskService }, user, rest) => {
    const [id, people] = split(rest);
    return taskService.updateCollaborators(id, words(people), user);
  },
  watchers: ({ taskService }, user, rest) => {
    const [id, people] = split(rest);
    return taskService.updateWatchers(id, words(people), user);
  },
  depend: ({ taskService }, user, rest) => {
    const [id, on] = split(rest);
    return taskService.addDependency(id, readTaskId(on), user);
  },
  undepend: ({ taskService }, user, rest) => {
    const [id, on] = split(rest);
    return taskService.removeDependency(id, readTaskId(on), user);
  },
  bulk: ({ taskService }, user, rest) => taskService.bulkUpdate(jsonOf(rest), user),
};

/** Carries out one line. Resolves with what is answered; throws `TaskRefused`, and what the log throws. */
export async function lineCommand(context: LineContext, session: LineSession, line: string): Promise<unknown> {
  const [verb, rest] = split(line);
  if (verb === 'as') {
    session.user = readUserId(rest);
    return { user: session.user };
  }
  if (verb === 'help') return ['as', 'help', 'quit', ...Object.keys(VERBS)];
  const carryOut = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!carryOut) throw new TaskRefused('invalid_input', `There is no command ${verb.slice(0, 40)}; "help" lists them.`);
  return carryOut(context, session.user, rest);
}

function split(text: string): [string, string] {
  const [first = '', rest = ''] = text.trim().split(/\s+(.*)/s);
  return [first, rest.trim()];
}

const words = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TaskRefused('invalid_input', 'The rest of the line has to be JSON.');
  }
}
