/** Signs whose names pages write. */
const NAMED = new Map([
  ['quot', '"'],
  ['apos', "'"],
  ['commat', '@'],
  ['period', '.'],
  ['colon', ':'],
  ['equals', '='],
  ['sol', '/'],
  ['bsol', '\\'],
]);
const ENTITY = /&(?:#(\d{2,3})|#x([0-9a-f]{2})|([a-z]{3,6}));/gi;
/** Letters stay: a folder may be called `x64`. */
const ESCAPED_SIGN = /\\{1,8}x(2[2567ef]|3[ad]|40)/gi;
const WIDE_HOME = /[／＼](?:home|Users)[／＼]|：\\Users\\/;
const WIDE = new Map([
  ['／', '/'],
  ['＼', '\\'],
  ['：', ':'],
]);
const ESCAPED_ELEMENT = /&lt;(?:\/|at|dot)/i;
const ESCAPED_HOME = /\\\/(?:home|Users)\\\//;

/** How programs and pages write characters that have a meaning for them. Nobody reads `\u003d`, and it may stand before a secret. */
export function plainCharacters(text: string): string {
  let plain = text;
  if (plain.includes('\\u00')) plain = plain.replace(/\\{1,8}u00([2-7][0-9a-f])/gi, (_, hex: string) => fromHex(hex));
  if (plain.includes('\\x')) plain = plain.replace(ESCAPED_SIGN, (_, hex: string) => fromHex(hex));
  if (ESCAPED_HOME.test(plain)) plain = plain.replaceAll('\\/', '/');
  if (WIDE_HOME.test(plain)) plain = plain.replace(/[／＼：]/g, (wide) => WIDE.get(wide)!);
  if (ESCAPED_ELEMENT.test(plain)) plain = plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>');
  return plain.includes('&') ? plain.replace(ENTITY, readEntity) : plain;
}

function readEntity(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return NAMED.get(name.toLowerCase()) ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
  return code >= 0x20 && code <= 0x7e ? String.fromCharCode(code) : whole;
}

function fromHex(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
