import { validateHeaderName, validateHeaderValue } from 'node:http';
import { EventManagerError } from '@event-manager/core';

const COUNT_MAX = 50;
const VALUE_CHARACTERS_MAX = 4096;
/** What HTTP itself or this sink says; letting a subscription say otherwise would forge signatures or split requests. */
const RESERVED =
  /^(host|connection|content-length|content-type|content-encoding|transfer-encoding|keep-alive|te|trailer|upgrade|expect|accept-encoding|proxy-.*|webhook-.*|event-manager-.*|sec-websocket-.*)$/;

/** Checks the headers that a subscription adds to each request. Throws `invalid_subscription`. Names come back in lower case. */
export function extraHeaders(given: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(given);
  if (entries.length > COUNT_MAX) throw refused('', `There are more than ${COUNT_MAX} headers.`);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const lower = name.toLowerCase();
      if (!isHeader(name, value)) throw refused(name, 'The header cannot be sent.');
      if (RESERVED.test(lower)) throw refused(name, 'The header is set by the sender.');
      return [lower, value];
    }),
  );
}

function isHeader(name: string, value: unknown): boolean {
  if (typeof value !== 'string' || value.length > VALUE_CHARACTERS_MAX) return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

function refused(name: string, message: string): EventManagerError {
  const pointer =
    name === '' ? '/headers' : `/headers/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return new EventManagerError('invalid_subscription', message, { pointer });
}
