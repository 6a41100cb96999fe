/** Where a service is, for its two protocols; neither ends in a slash. */
export interface ServiceAddress {
  readonly http: string;
  readonly socket: string;
}

const SOCKET_SCHEMES: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:' };

/** Throws `TypeError` when it is not an absolute http or https URL. */
export function serviceAddress(url: string | URL): ServiceAddress {
  const parsed = URL.parse(String(url));
  const scheme = SOCKET_SCHEMES[parsed?.protocol ?? ''];
  if (parsed === null || scheme === undefined || parsed.search !== '' || parsed.hash !== '') {
    throw new TypeError(`The address of a service is an http or https URL, such as http://localhost:3004, not ${url}.`);
  }
  const path = withoutSlashes(parsed.pathname);
  return { http: `${parsed.origin}${path}`, socket: `${scheme}//${parsed.host}${path}/ws` };
}

/** Not by a regular expression: one for the end of a text looks for it from every slash on. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}
