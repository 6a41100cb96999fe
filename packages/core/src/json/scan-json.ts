/** What one pass over a JSON text finds that parsing would not tell. Offsets are UTF-16 units. */
export interface JsonScan {
  /** Colons outside strings: the number of keys, if none is given twice. */
  readonly colons: number;
  /** Where the first object or list begins that is nested too deep; the pass ends there. */
  readonly tooDeepAt: number | undefined;
  /** Where the first number begins that a double does not hold. */
  readonly inexactNumberAt: number | undefined;
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** With the bit set that makes letters small. */
const LETTER_E = 0x65;

/** So many digits survive in every double whose exponent is far from the ends of the range; two digits of exponent are. */
const SAFE_MANTISSA_CHARACTERS = 15;
const SAFE_EXPONENT_CHARACTERS = 3;

/** Looks over a text that need not be valid JSON; strings are skipped by a native search for their end. */
export function scanJson(text: string, depthMax: number): JsonScan {
  let colons = 0;
  let depth = 0;
  let inexactNumberAt: number | undefined;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = stringEnd(text, index);
    } else if (code === COLON) {
      colons++;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++depth > depthMax) return { colons, tooDeepAt: index, inexactNumberAt };
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      depth--;
    } else if ((code >= DIGIT_0 && code <= DIGIT_9) || code === MINUS) {
      const end = numberEnd(text, index);
      if (inexactNumberAt === undefined && !survives(text, index, end)) inexactNumberAt = index;
      index = end - 1;
    }
  }
  return { colons, tooDeepAt: undefined, inexactNumberAt };
}

/** The offset of the quote that ends the string which begins at `start`; the length of the text when there is none. */
export function stringEnd(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
  } while (isEscaped(text, end));
  return end;
}

/** An odd number of backslashes before a quote makes it part of the string. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
}

/** Digits, sign, point, `e` and `E`; what else they could spell is for the parser to refuse. */
function numberEnd(text: string, start: number): number {
  let end = start + 1;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    const isPart = (code >= DIGIT_0 && code <= DIGIT_9) || code === 0x2e || code === 0x2b || code === MINUS;
    if (!isPart && (code | 0x20) !== LETTER_E) break;
  }
  return end;
}

function survives(text: string, start: number, end: number): boolean {
  let mantissaEnd = start;
  while (mantissaEnd < end && (text.charCodeAt(mantissaEnd) | 0x20) !== LETTER_E) mantissaEnd++;
  const isShort = mantissaEnd - start <= SAFE_MANTISSA_CHARACTERS && end - mantissaEnd <= SAFE_EXPONENT_CHARACTERS;
  return isShort || survivesAsDouble(text.slice(start, end));
}

/** More digits than `toPrecision` can write; nobody means them. */
const DIGITS_MAX = 100;

/**
 * True when the double nearest to the decimal, written with as many significant digits or as JavaScript writes it, has the
 * same digits: then nothing of what the sender wrote is lost. `0.10000000000000001` (17 digits, as C prints 0.1) survives; `9007199254740993` does not.
 */
export function survivesAsDouble(decimal: string): boolean {
  const value = Number(decimal);
  // Most long numbers were written by JavaScript or Python, which write the same digits: nothing more to look at.
  if (String(value) === decimal) return true;
  const wanted = significantDigits(decimal);
  if (wanted === '') return true;
  // What is not a number at all is for the parser to refuse.
  if (Number.isNaN(value)) return true;
  if (!Number.isFinite(value) || value === 0 || wanted.length > DIGITS_MAX) return false;
  // At a power of two the shortest digits that read back as the double are not always its nearest: both spellings are its own.
  return significantDigits(value.toPrecision(wanted.length)) === wanted || significantDigits(String(value)) === wanted;
}

/** The digits without sign, point, exponent and the zeros at both ends; empty for zero. */
function significantDigits(decimal: string): string {
  const mantissa = decimal.split(/[eE]/, 1)[0]!.replace(/[-+.]/g, '');
  let first = 0;
  let end = mantissa.length;
  while (first < end && mantissa.charCodeAt(first) === DIGIT_0) first++;
  while (end > first && mantissa.charCodeAt(end - 1) === DIGIT_0) end--;
  return mantissa.slice(first, end);
}
