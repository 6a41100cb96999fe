import { z } from 'zod';
import { PRIORITIES, STATUSES } from './task.ts';
import { TaskRefused } from './task-refused.ts';

const userId = z.string().regex(/^[\p{L}\p{N}._-]{1,64}$/u, 'a user is 1 to 64 letters, digits, dots, dashes');
const taskId = z.string().regex(/^[\w-]{1,64}$/, 'an id is 1 to 64 letters, digits, dashes');
const people = z.array(userId).max(100);
const fields = {
  title: z.string().trim().min(1).max(200),
  description: z.string().max(10_000),
  status: z.enum(STATUSES),
  priority: z.enum(PRIORITIES),
  assignee: userId.nullable(),
};
const lists = { collaborators: people, watchers: people };

const NEW_TASK = z.strictObject({
  id: taskId.optional(),
  title: fields.title,
  description: fields.description.default(''),
  status: fields.status.default('todo'),
  priority: fields.priority.default('medium'),
  assignee: fields.assignee.default(null),
  collaborators: people.default([]),
  watchers: people.default([]),
  dependencies: z.array(taskId).max(100).default([]),
});
const CHANGES = z.strictObject({ ...fields, ...lists }).partial();
const BULK = z.strictObject({ ids: z.array(taskId).min(1).max(500), changes: CHANGES });

export type NewTask = z.output<typeof NEW_TASK>;
export type WantedChanges = z.output<typeof CHANGES>;

const reader =
  <Schema extends z.ZodType>(schema: Schema) =>
  (input: unknown): z.output<Schema> => {
    const read = schema.safeParse(input);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const pointer = issue!.path.map((step) => `/${String(step)}`).join('');
    throw new TaskRefused('invalid_input', `${pointer || 'The input'}: ${issue!.message}.`, { pointer });
  };

export const readNewTask = reader(NEW_TASK);
export const readChanges = reader(CHANGES);
export const readBulk = reader(BULK);
export const readTaskId = reader(taskId);
const readUser = reader(userId);

/** Who asks. */
export function readUserId(input: unknown): string {
  if (input === undefined || input === '') throw new TaskRefused('unknown_user', 'Say who you are.');
  return readUser(input);
}
