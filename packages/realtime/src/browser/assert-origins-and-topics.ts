import { DEFAULT_LIMITS, parsePattern } from '@event-manager/core';
import type { BrowserSettings } from './browser-options.ts';

/**
 * Who may come and what pages may see. A text in place of a list would be looked into letter by letter, and let in origins that
 * are a part of it. Throws TypeError, and `invalid_pattern` at once and not to each page.
 */
export function assertOriginsAndTopics({ origins, topics }: Pick<BrowserSettings, 'origins' | 'topics'>): void {
  if (!isTexts(topics)) throw new TypeError('topics is a list of topic patterns.');
  for (const [at, topic] of topics.entries()) parsePattern(topic, DEFAULT_LIMITS, `/topics/${at}`);
  if (origins === undefined || origins === 'any') return;
  if (!isTexts(origins)) throw new TypeError("origins is a list of origins, or 'any'.");
  for (const origin of origins) {
    // Those of browser extensions and apps have schemes whose origin nobody can say but the browser.
    if (!/^https?:/i.test(origin) || URL.parse(origin)?.origin === origin) continue;
    throw new TypeError(`Browsers send no origin like ${origin}, but ${URL.parse(origin)?.origin ?? 'https://host'}.`);
  }
}

function isTexts(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((each) => typeof each === 'string');
}
