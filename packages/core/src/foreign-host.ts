import { isIP } from 'node:net';

/**
 * What listens on this machine alone trusts whoever is on it, and a browser is: a web page whose name is made to mean 127.0.0.1
 * after it was loaded (DNS rebinding) could read and do everything that is offered there. Such a request carries the page's own
 * name as its host. A name that is an address, or localhost, cannot be made to mean something else.
 */
export function isForeignHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return host !== 'localhost' && isIP(host) === 0;
}

/**
 * Whether a request to what listens at `listensAt` asks by such a name: `host` is its header. Who listens for other machines is
 * asked by names of its network. Who sends no header is no browser.
 */
export function asksForForeignHost(host: string | undefined, listensAt: string): boolean {
  if (host === undefined || !/^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(listensAt)) return false;
  return isForeignHost(URL.parse(`http://${host}`)?.hostname ?? '');
}
