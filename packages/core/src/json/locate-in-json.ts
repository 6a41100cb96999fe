import { jsonPointer } from './json-pointer.ts';
import { stringEnd } from './scan-json.ts';

/** One object or list that the walk is inside of. */
interface Frame {
  /** Keys seen so far; `undefined` for a list. */
  readonly keys: Set<string> | undefined;
  /** The key or index the walk stands at. */
  token: string | number;
}

/** The JSON pointer of the value that stands at an offset of the text. */
export function pointerOfIndex(text: string, offset: number, prefix: string): string {
  return walk(text, offset, false, prefix);
}

/** The JSON pointer of the first key that its object already has. */
export function pointerOfDuplicate(text: string, prefix: string): string {
  return walk(text, text.length, true, prefix);
}

/** Walks the tokens up to an offset, or up to the first repeated key, keeping only the way from the root. */
function walk(text: string, until: number, stopAtDuplicate: boolean, prefix: string): string {
  const frames: Frame[] = [];
  let isKeyNext = false;
  for (let index = 0; index < until; index++) {
    const character = text[index];
    const frame = frames.at(-1);
    if (character === '{' || character === '[') {
      isKeyNext = character === '{';
      frames.push(isKeyNext ? { keys: new Set(), token: '' } : { keys: undefined, token: 0 });
    } else if (character === '}' || character === ']') {
      isKeyNext = false;
      frames.pop();
    } else if (character === ',' && frame !== undefined) {
      isKeyNext = frame.keys !== undefined;
      if (typeof frame.token === 'number') frame.token++;
    } else if (character === '"') {
      const end = stringEnd(text, index);
      if (isKeyNext && frame?.keys !== undefined) {
        frame.token = readKey(text.slice(index, end + 1));
        if (stopAtDuplicate && frame.keys.has(frame.token)) break;
        frame.keys.add(frame.token);
        isKeyNext = false;
      }
      index = end;
    }
  }
  return frames.reduce((pointer, frame) => jsonPointer(pointer, frame.token), prefix);
}

/** Before the text is known to be JSON a key may hold a wrong escape; it is then shown as it was written. */
function readKey(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}
