/** Texts hold some values of JSON, the body of a request for example. Brackets of other kinds are tried and left, so many of them. */
const ATTEMPTS_MAX = 16;

/**
 * Rewrites the JSON in a text: what names a secret and what is one may be apart there, as in `{"name":"token","value":"…"}`. JSON in which
 * nothing changes keeps its spaces.
 */
export function rewriteJson(text: string, rewrite: (value: unknown) => unknown): string {
  let result = '';
  let taken = 0;
  let attempts = 0;
  for (let at = nextStart(text, 0); at >= 0 && attempts < ATTEMPTS_MAX; at = nextStart(text, Math.max(at + 1, taken))) {
    const end = balancedEnd(text, at);
    const value = end === undefined ? undefined : parsed(text.slice(at, end));
    if (end === undefined || value === undefined) {
      attempts++;
      continue;
    }
    const [before, after] = [JSON.stringify(value), JSON.stringify(rewrite(value))];
    result += text.slice(taken, at) + (before === after ? text.slice(at, end) : after);
    taken = end;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

/** The same for texts in quotes with escapes in them, which hide the ends of lines and quotes from whoever reads on. */
export function rewriteQuoted(text: string, rewrite: (value: unknown) => unknown): string {
  if (!text.includes('\\')) return text;
  let result = '';
  let taken = 0;
  let attempts = 0;
  for (
    let at = text.indexOf('"');
    at >= 0 && attempts < ATTEMPTS_MAX;
    at = text.indexOf('"', Math.max(at + 1, taken))
  ) {
    const end = quotedEnd(text, at);
    const quoted = text.slice(at, end);
    if (end === undefined) break;
    if (!quoted.includes('\\')) continue;
    const value = parsed(quoted);
    if (value === undefined) attempts++;
    const rewritten = value === undefined ? value : rewrite(value);
    if (rewritten === value) continue;
    result += text.slice(taken, at) + JSON.stringify(rewritten);
    taken = end;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

function quotedEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return undefined;
}

function nextStart(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '{' || text[at] === '[') return at;
  return -1;
}

/** Behind the bracket that closes the one at `start`; brackets in texts do not count. */
function balancedEnd(text: string, start: number): number | undefined {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (isText) {
      if (character === '\\') at++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
