import { readTime } from './read-time.ts';

/** What a time begins with; a cursor never does. */
const TIME = /^(?:\d{4}-\d{2}-\d{2}|\d{1,9}[smhd]$|\d{10,16}$)/;

/** A place of the log as the service takes it: `earliest`, `latest` and cursors pass as they are, and the service says what is none of them. */
export function readPlace(flag: string, given: string, nowMs: number): string {
  return TIME.test(given) ? readTime(flag, given, nowMs) : given;
}
