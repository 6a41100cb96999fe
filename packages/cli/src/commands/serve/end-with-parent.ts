import type { Timers } from '@event-manager/core/portable';

const LOOK_EVERY_MS = 200;

/**
 * `npx event-manager serve`: npm passes SIGTERM to its shell, which dies of it and tells nobody. So the death of the shell is
 * the signal. Without npm a parent may go away as it likes: that is how programs are put into the background.
 */
export function endWithParent(environment: Readonly<Record<string, string | undefined>>, timers: Timers): void {
  if (environment['npm_lifecycle_event'] === undefined) return;
  const shell = process.ppid;
  const look = () => {
    if (process.ppid === shell) timers.after(LOOK_EVERY_MS, look);
    else process.kill(process.pid, 'SIGTERM');
  };
  look();
}
