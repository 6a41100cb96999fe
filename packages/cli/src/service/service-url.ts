import type { CliContext } from '../cli-context.ts';
import { CommandFailure } from '../exit-codes.ts';

const DEFAULT_URL = 'http://localhost:3004';

/** Command line over environment over default. Without a slash at the end. */
export function serviceUrl(context: CliContext, given: string | undefined): string {
  const variable = context.surroundings.environment['EVENT_MANAGER_URL'];
  const [url, from] = given !== undefined ? [given, '--url'] : [variable || DEFAULT_URL, 'EVENT_MANAGER_URL'];
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
    throw new CommandFailure('wrongUse', `${from} must be an http or https URL such as ${DEFAULT_URL}, not ${url}`);
  }
  return `${parsed.origin}${withoutSlashes(parsed.pathname)}`;
}

/** Not by a regular expression: one for the end of a text looks for it from every slash on. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}
