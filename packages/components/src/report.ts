import type { EventsReport } from './component-events.ts';

/** For programs that do not listen: a warning goes to the standard error once and ends nothing. */
export function tellByWarning({ code, text }: EventsReport): void {
  process.emitWarning(text, { type: 'EventsForComponents', code });
}
