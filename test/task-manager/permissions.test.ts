import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Action, Permissions } from '../../examples/task-manager/tasks/permissions.ts';
import type { Task } from '../../examples/task-manager/tasks/task.ts';

const README = join(import.meta.dirname, '../../examples/task-manager/README.md');
const ROLES = ['creator', 'assignee', 'collaborator', 'everybody'] as const;
/** What the page says, and what the program calls it. Reading and creating ask nobody. */
const ACTIONS: Readonly<Record<string, readonly Action[]>> = {
  'read, create, watch': ['watch'],
  'edit (texts, status, priority, dependencies)': ['edit'],
  assign: ['assign'],
  'name collaborators, delete': ['share', 'delete'],
};
const TASK = {
  id: 't',
  createdBy: 'creator',
  assignee: 'assignee',
  collaborators: ['collaborator'],
} as unknown as Task;

const rows = readFileSync(README, 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, what]) => what !== undefined && Object.hasOwn(ACTIONS, what));

it('lets each do what the table of the README says, and nothing else', () => {
  expect(rows.map(([, what]) => what)).toEqual(Object.keys(ACTIONS));
  const permissions = new Permissions(['root']);
  const may = (action: Action, user: string) => {
    try {
      permissions.assert(action, TASK, user);
      return true;
    } catch {
      return false;
    }
  };
  for (const [, what, ...cells] of rows) {
    for (const action of ACTIONS[what!]!) {
      const told = ROLES.map((role) => [role, may(action, role)]);
      expect({ action, told }).toEqual({ action, told: ROLES.map((role, at) => [role, cells[at] === 'yes']) });
      expect([action, may(action, 'root')]).toEqual([action, true]);
    }
  }
});
