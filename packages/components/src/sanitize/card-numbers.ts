/** First digits and lengths of the cards that are issued. */
const CARDS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(6011|64[4-9]|65)/, [16, 19]],
  [/^35(2[89]|[3-8])/, [16]],
  [/^3(0[0-5]|[689])/, [14]],
  [/^62/, [16, 17, 18, 19]],
  [/^(50|5[6-9]|6)/, [16, 18, 19]],
];
const DIGITS_MIN = 13;
const DIGITS_MAX = 19;
const FIRST_GROUP_DIGITS = 4;
const GROUP_DIGITS_MAX = 6;
const GROUPS_MAX = 5;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Where the groups of a UUID begin in it. */
const UUID_GROUPS = [9, 14, 19, 24];
const UUID_CHARACTERS = 36;

/** Replaces numbers of credit cards, also in groups with spaces or dashes between them. Other numbers stay: their check digit is wrong. */
export function withoutCardNumbers(text: string, replacement: string): string {
  let result = '';
  let taken = 0;
  let at = 0;
  while (at < text.length) {
    if (!isDigit(text, at)) {
      at++;
      continue;
    }
    const end = cardEnd(text, at);
    if (end !== undefined && !isInUuid(text, at)) {
      result += text.slice(taken, at) + replacement;
      taken = at = end;
    } else {
      while (isDigit(text, at)) at++;
    }
  }
  return taken === 0 ? text : result + text.slice(taken);
}

/** Where the card ends whose first group of digits begins here. In groups the first has four, as on the card. */
function cardEnd(text: string, start: number): number | undefined {
  let digits = '';
  let at = start;
  for (let group = 1; group <= GROUPS_MAX; group++) {
    const before = digits.length;
    while (isDigit(text, at) && digits.length <= DIGITS_MAX) digits += text[at++];
    const size = digits.length - before;
    if (digits.length > DIGITS_MAX) return undefined;
    if (group > 1 && (size < 2 || size > GROUP_DIGITS_MAX)) return undefined;
    const isSplitAsCards = group === 1 || group >= 3;
    if (isSplitAsCards && digits.length >= DIGITS_MIN && isCard(digits)) return at;
    const isJoined = ' -.'.includes(text[at] ?? '_') && isDigit(text, at + 1);
    if (!isJoined || (group === 1 && (size !== FIRST_GROUP_DIGITS || isInsideOfWord(text, start)))) return undefined;
    at++;
  }
  return undefined;
}

/** One UUID in some ten thousands has a card in its groups. */
function isInUuid(text: string, at: number): boolean {
  return UUID_GROUPS.some(
    (before) => at >= before && UUID.test(text.slice(at - before, at - before + UUID_CHARACTERS)),
  );
}

function isInsideOfWord(text: string, at: number): boolean {
  return at > 0 && /[A-Za-z0-9]/.test(text[at - 1]!);
}

function isCard(digits: string): boolean {
  return CARDS.some(([first, lengths]) => lengths.includes(digits.length) && first.test(digits)) && isLuhn(digits);
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 0x30;
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}
