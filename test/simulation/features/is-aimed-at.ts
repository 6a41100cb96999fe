import type { Plan } from '../plan.ts';

/** True when the plan ends a process at a step of this part, so that the part has to be used. */
export function isAimedAt(part: string, { crashAt }: Pick<Plan, 'crashAt'>): boolean {
  return crashAt.some(({ failpoint }) => failpoint.startsWith(`${part}.`));
}
