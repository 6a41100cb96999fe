/** How long the IBAN of each country is. */
const LENGTHS = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 ' +
    'GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 ' +
    'MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((each) => [each.slice(0, 2), Number(each.slice(2))]),
);
const START = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ -]?[A-Z0-9])/gi;

/** Replaces numbers of bank accounts (IBAN), also in groups with spaces or dashes between them. Others stay: their check digits are wrong. */
export function withoutBankAccounts(text: string, replacement: string): string {
  let result = '';
  let taken = 0;
  for (const { index } of text.matchAll(START)) {
    const end = index < taken ? undefined : accountEnd(text, index);
    if (end === undefined) continue;
    result += text.slice(taken, index) + replacement;
    taken = end;
  }
  return taken === 0 ? text : result + text.slice(taken);
}

/** Groups are of four: those of a UUID are not, and one in a hundred would have the right check digits. */
function accountEnd(text: string, start: number): number | undefined {
  const length = LENGTHS.get(text.slice(start, start + 2).toUpperCase()) ?? 0;
  const isGrouped = isSeparator(text, start + 4);
  let account = '';
  let at = start;
  while (account.length < length) {
    if (isGrouped && account.length > 0 && account.length % 4 === 0 && !isSeparator(text, at++)) return undefined;
    if (!isAlphanumeric(text, at)) return undefined;
    account += text[at++];
  }
  if (length === 0 || isAlphanumeric(text, at) || (text[at] === '-' && isAlphanumeric(text, at + 1))) return undefined;
  return isIban(account.toUpperCase()) ? at : undefined;
}

/** ISO 7064: with its head behind it and letters as two digits, the remainder by 97 is 1. */
function isIban(account: string): boolean {
  let remainder = 0;
  for (const character of account.slice(4) + account.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function isAlphanumeric(text: string, at: number): boolean {
  return /^[A-Za-z0-9]$/.test(text[at] ?? '');
}

function isSeparator(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '-';
}
