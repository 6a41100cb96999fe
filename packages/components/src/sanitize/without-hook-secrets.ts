/** Addresses that let in whoever knows them: what comes behind these is the secret. */
const HOOK =
  /(?:hooks\.slack\.com(?:\/|%2F)(?:services|workflows|triggers)|discord(?:app)?\.com(?:\/|%2F)api(?:(?:\/|%2F)v\d{1,2})?(?:\/|%2F)webhooks|hooks\.zapier\.com(?:\/|%2F)hooks|webhook\.office\.com|outlook\.office\.com(?:\/|%2F)webhook|api\.telegram\.org(?:(?:\/|%2F)file)?)(?:\/|%2F)(?:bot)?/iy;
const HOSTS = /\.com|\.org/i;
const ENDS = /[?#\s[]/;
const CHARACTERS_MIN = 2;

/** Takes out what stands behind the address of a hook, up to its query. */
export function withoutHookSecrets(word: string, replacement: string): string {
  if (!HOSTS.test(word)) return word;
  let result = '';
  let taken = 0;
  for (let at = 0; at < word.length; at++) {
    HOOK.lastIndex = at;
    const found = HOOK.exec(word)?.[0];
    if (found === undefined) continue;
    const start = at + found.length;
    if (word.slice(start, start + CHARACTERS_MIN).includes('/')) continue;
    let end = start;
    while (end < word.length && !ENDS.test(word[end]!)) end++;
    if (end - start < CHARACTERS_MIN) continue;
    result += word.slice(taken, start) + replacement;
    taken = end;
    at = end - 1;
  }
  return taken === 0 ? word : result + word.slice(taken);
}
