import { EventManagerError } from '../src/errors/event-manager-error.ts';

/** Code and pointer of the error that a call must throw, as one text: `invalid_event at /metadata/tags/0`. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof EventManagerError) return `${error.code} at ${error.details.pointer}`;
    throw error;
  }
  return 'nothing was refused';
}
