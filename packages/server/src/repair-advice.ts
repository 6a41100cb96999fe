import type { Configuration } from './configuration/settings.ts';

/** For the terminal and the log of whoever runs the service; it names the directory, which no answer over HTTP does. */
export function repairAdvice({ dataDir }: Configuration): string {
  const directory = /^[\w./-]+$/.test(dataDir) ? dataDir : `'${dataDir.replaceAll("'", "'\\''")}'`;
  return (
    'The store is damaged and serves reads only; nothing can be published. Stop the service and run: ' +
    `npx event-manager-journal repair ${directory}`
  );
}
