/** How the lines around keys begin and end. */
const FRAMES: readonly { readonly begin: string; readonly end: string; readonly close: string }[] = [
  { begin: '-----BEGIN ', end: '-----END ', close: '-----' },
  { begin: '---- BEGIN ', end: '---- END ', close: '----' },
  { begin: 'PuTTY-User-Key-File', end: 'Private-MAC', close: '\n' },
];

/** Takes out keys and certificates between their lines. One that was cut off ends with the text. */
export function withoutKeys(text: string, replacement: string): string {
  return FRAMES.reduce((left, frame) => withoutFramed(left, frame, replacement), text);
}

/** Whether a key begins in a text and does not end there: what follows it is the key. */
export function beginsKey(text: string): boolean {
  return FRAMES.some(({ begin, end }) => text.includes(begin) && !text.includes(end));
}

export function endsKey(text: string): boolean {
  return FRAMES.some(({ end }) => text.includes(end));
}

function withoutFramed(text: string, { begin, end, close }: (typeof FRAMES)[number], replacement: string): string {
  let result = '';
  let at = 0;
  for (let found = text.indexOf(begin); found >= 0; found = text.indexOf(begin, at)) {
    const last = text.indexOf(end, found);
    const closed = last < 0 ? -1 : text.indexOf(close, last + end.length);
    result += text.slice(at, found) + replacement;
    at = closed < 0 ? text.length : closed + close.length;
  }
  return at === 0 ? text : result + text.slice(at);
}
