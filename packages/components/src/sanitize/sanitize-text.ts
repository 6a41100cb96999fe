/**
 * Takes what nobody should read out of a text that people wrote: error texts, stacks, lines of other programs. First what has a form
 * of its own wherever it stands (JSON, keys, numbers, addresses, paths), then word by word what is named (`TextSanitizer`), and all of
 * it again in what is encoded. A secret is rather taken out once too often: who looks for an error finds the name of what was there.
 */
import { withoutBankAccounts } from './bank-accounts.ts';
import { cut } from './capture.ts';
import { withoutCardNumbers } from './card-numbers.ts';
import { rewriteJson, rewriteQuoted } from './json-in-text.ts';
import { normalizePaths } from './normalize-paths.ts';
import { plainCharacters } from './plain-characters.ts';
import { REDACTED } from './redacted.ts';
import { rewriteEncoded } from './rewrite-encoded.ts';
import { sanitizeValue } from './sanitize-value.ts';
import { secretName } from './secret-names.ts';
import { TextSanitizer } from './text-sanitizer.ts';
import { withoutAddressesOfWords } from './without-addresses.ts';
import { withoutInvisible } from './without-invisible.ts';
import { withoutKeys } from './without-keys.ts';
import { withoutSpelledAddresses } from './without-spelled-addresses.ts';

/** Names of events, components and files: most texts are this, and nothing of them can be a secret. */
const PLAIN = /^[A-Za-z][a-z_-]{0,14}(\.[a-z_-]{1,14}){0,4}$/;
/** What is encoded within something encoded is looked at, too, but not for ever. */
const ENCODED_DEPTH_MAX = 3;

export function sanitizeText(given: string): string {
  if (PLAIN.test(given) && secretName(given) === undefined) return given;
  return sanitizeReadable(plainCharacters(withoutInvisible(cut(given))), 0);
}

/** What is plain goes first: decoding may put spaces into the value of a secret, and only its first word would be taken for it. */
function sanitizeReadable(given: string, depth: number): string {
  const readable = rewriteQuoted(rewriteJson(given, sanitizeValue), sanitizeValue);
  const numberless = withoutBankAccounts(withoutCardNumbers(withoutKeys(readable, REDACTED), REDACTED), REDACTED);
  const addressless = withoutSpelledAddresses(withoutAddressesOfWords(numberless));
  const sanitized = new TextSanitizer(normalizePaths(addressless)).run();
  if (depth === ENCODED_DEPTH_MAX) return sanitized;
  return rewriteEncoded(sanitized, (text) => sanitizeReadable(text, depth + 1));
}
