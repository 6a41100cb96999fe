/**
 * A command that changes several things is several events, one append each, and a process may die between two of them. So that it
 * is all or nothing nevertheless, its first event carries the whole command, and the others name the first as their cause:
 *
 *     nothing ──▶ first event in the log ──▶ … ──▶ last event in the log
 *                 the command is decided           another event follows: it is over
 *
 * Until the first event is in the log nothing has happened. From then on the rest is only told: what of the command is not so yet
 * gives the events that are missing (`eventsOf`), whoever asks and how often. Commands are carried out one after the other, so only
 * the last one in the log can be without some of its events. It is finished before anything else happens: at the start, and before
 * the next command when the log refused one of them.
 */
import { changeDiff } from './change-diff.ts';
import { EventFactory, type TaskEvent } from './event-factory.ts';
import type { Action } from './permissions.ts';
import type { WantedChanges } from './read-input.ts';
import type { Task, TaskChanges } from './task.ts';

/** The same changes to some tasks, or the end of one. */
export type TaskCommand =
  | { readonly ids: readonly string[]; readonly changes: WantedChanges }
  | { readonly deletes: string };

/** Who gave a command, and when: the same in all of its events. */
export interface CommandOrigin {
  readonly by: string;
  readonly at: string;
}

interface Tasks {
  get(id: string): Task | undefined;
  waitingFor(id: string): readonly string[];
}

type Field = keyof WantedChanges;
type MakeEvent = (task: Task, changes: TaskChanges, by: string) => TaskEvent;

/** Which fields of an update are which event, and who may change them. */
const UPDATES: readonly { readonly fields: readonly Field[]; readonly action: Action; readonly make: MakeEvent }[] = [
  { fields: ['title', 'description'], action: 'edit', make: EventFactory.createTaskUpdated },
  { fields: ['status'], action: 'edit', make: EventFactory.createTaskStatusChanged },
  { fields: ['priority'], action: 'edit', make: EventFactory.createTaskPriorityChanged },
  { fields: ['assignee'], action: 'assign', make: EventFactory.createTaskAssigned },
  { fields: ['collaborators'], action: 'share', make: EventFactory.createTaskCollaboratorsUpdated },
  { fields: ['watchers'], action: 'watch', make: EventFactory.createTaskWatchersUpdated },
];

/** What of a command is not so yet, as events in their order: each kind of change is an event of its own. */
export function eventsOf(command: TaskCommand, tasks: Tasks, origin: CommandOrigin): readonly TaskEvent[] {
  if ('deletes' in command) return deletionOf(command.deletes, tasks, origin);
  return command.ids.flatMap((id) => {
    let task = tasks.get(id);
    return stepsOf(task, command.changes).map(({ make, part }) => {
      task = changed(task!, part, origin);
      return make(task, part, origin.by);
    });
  });
}

/** What somebody has to be allowed to do to the task for these changes of it. */
export function actionsOf(task: Task, wanted: WantedChanges): readonly Action[] {
  return stepsOf(task, wanted).map(({ action }) => action);
}

/** One event that changes what a task waits for. None when it is so already. */
export function dependenciesEvent(
  task: Task,
  dependencies: readonly string[],
  origin: CommandOrigin,
): readonly TaskEvent[] {
  const part = changeDiff(task, { dependencies });
  if (!part.dependencies) return [];
  const isMore = part.dependencies.to.length > part.dependencies.from.length;
  const make = isMore ? EventFactory.createTaskDependencyAdded : EventFactory.createTaskDependencyRemoved;
  return [make(changed(task, part, origin), part, origin.by)];
}

/** Nobody can wait for what is not there. */
function deletionOf(id: string, tasks: Tasks, origin: CommandOrigin): readonly TaskEvent[] {
  const task = tasks.get(id);
  const freed = tasks.waitingFor(id).flatMap((each) => {
    const waiting = tasks.get(each)!;
    return dependenciesEvent(
      waiting,
      waiting.dependencies.filter((one) => one !== id),
      origin,
    );
  });
  return task ? [...freed, EventFactory.createTaskDeleted(task, origin.by)] : freed;
}

function stepsOf(task: Task | undefined, wanted: WantedChanges) {
  const changes = task ? changeDiff(task, wanted as Partial<Task>) : {};
  return UPDATES.map(({ fields, action, make }) => ({ action, make, part: pick(changes, fields) })).filter(
    ({ part }) => Object.keys(part).length > 0,
  );
}

function changed(task: Task, changes: TaskChanges, { at }: CommandOrigin): Task {
  const to = Object.fromEntries(Object.entries(changes).map(([field, change]) => [field, change.to]));
  return { ...task, ...to, updatedAt: at, version: task.version + 1 };
}

function pick(changes: TaskChanges, fields: readonly Field[]): TaskChanges {
  return Object.fromEntries(
    Object.entries(changes).filter(([field]) => fields.includes(field as Field)),
  ) as TaskChanges;
}
