/** How tokens of well-known services look, from their first character on. */
const FORMS: readonly RegExp[] = [
  /^eyJ[A-Za-z0-9_-]{4,}/, // JSON Web Tokens, whole or a part.
  /^(sk|pk|rk)[-_](live|test|proj|ant|or|svcacct|admin)[-_]/,
  /^sk-[A-Za-z0-9]{16}/,
  /^(ghp|gho|ghu|ghs|ghr|github_pat)_[A-Za-z0-9]{10}/,
  /^gl(pat|dt|rt|ptt|ft)-[A-Za-z0-9_-]{10}/,
  /^xox[abeoprs][-.]/,
  /^xapp-\d/,
  /^(AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{12}/,
  /^AIza[A-Za-z0-9_-]{20}/,
  /^ya29\./,
  /^1\/\/0[A-Za-z0-9_-]{10}/,
  /^GOCSPX-/,
  /^(npm|pypi|hf|dop_v1|doo_v1|shpat|shpca|shppa|shpss|lin_api|ntn|secret|figd|pscale_tkn|phc|phx|r8|tvly|fc|gsk|nvapi|xai)[-_][A-Za-z0-9_-]{16}/,
  /^(whsec|whsk)_[A-Za-z0-9+/=]{8}/,
  /^SG\.[A-Za-z0-9_-]{10}/,
  /^(SK|AC)[0-9a-f]{32}/,
  /^key-[0-9a-f]{32}/,
  /^EAA[A-Za-z0-9]{20}/,
  /^sq0(atp|csp)-/,
  /^dckr_pat_/,
  /^AGE-SECRET-KEY-/,
  /^(hvs|hvb|s)\.[A-Za-z0-9_-]{20}/,
  /^(LTAI|AKID)[A-Za-z0-9]{12}/, // Alibaba, Tencent.
  /^[A-Za-z0-9_.~-]{3}\dQ~[A-Za-z0-9_.~-]{20}/, // Azure.
  /^(dapi|dkea|dose)[0-9a-f]{32}/,
  /^(NRAK|NRJS|PMAK|CCIPAT|HRKU)[-_][A-Za-z0-9_-]{16}/,
  /^(glsa|glc|sntrys|sntryu|rubygems|sbp|sb_secret|nfp|rnd|fm[12]|fo1|bkua|dp\.(pt|st|ct|sa|scim)|sbp_oauth|lip|tfp|ddp|nvapi)[-_.][A-Za-z0-9_-]{16}/,
  /^(pplx|pul)-[A-Za-z0-9]{16}/,
  /^ATATT3[A-Za-z0-9_=-]{10}/,
  /^ATBB[A-Za-z0-9]{16}/,
  /^AQICA[A-Za-z0-9+/=]{16}/,
  /^(access|public)-(sandbox|development|production)-[0-9a-f-]{32}/,
  /^[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_-]{16}/,
  /^v1\.0-[0-9a-f]{20}/, // Cloudflare.
  /^[MNO][A-Za-z0-9_-]{20,30}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{20}/, // Discord bots.
  /^[0-9a-f]{32}-us\d/,
  /^oy2[a-z0-9]{40}/,
  /^access_token\$(production|sandbox)\$/,
  /^pat[A-Za-z0-9]{14}\.[A-Za-z0-9]{16}/,
  /^AAAA[A-Za-z0-9_-]{7}:/,
  /^\d{8,10}:[A-Za-z0-9_-]{35}/, // Telegram bots.
  /^(AAAAB3NzaC1|AAAAC3NzaC1|AAAAE2VjZHNh)/,
  /^\$(2[aby]|argon2id?|argon2i|scrypt|pbkdf2[a-z0-9-]{0,10}|6|5|1|y)\$/,
  /^\{(SSHA|SHA|SMD5|MD5|CRYPT)[0-9]{0,3}\}/,
];
const HEX = /^[0-9a-fA-F]{32,}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DRAWN_CHARACTERS_MIN = 20;
/** Of a text that was drawn by chance about two thirds of the neighbours are of different classes; of names, a quarter. */
const CHANGES_MIN = 0.38;
const DECODED_CHARACTERS_MIN = 12;
/** Digits alone are a number. */
const HEX_TEXT = /^(?=\d{0,40}[a-f])(?:[2-7][0-9a-f]){6,64}$/i;
/** Base64 of a text has capitals and small letters in it. */
const CAPITALS = /^(?=[^a-z]{0,64}[a-z])(?=[^A-Z]{0,64}[A-Z])/;
/** Shorter words are ordinary ones, unless small letters, capitals and digits are mixed. */
const MIXED = /^(?=[^a-z]{0,16}[a-z])(?=[^A-Z]{0,16}[A-Z])(?=[^0-9]{0,16}[0-9])/;
const READABLE = /^[^\p{C}\ufffd]+$/u;

/** Whether a piece of text, without spaces, is a token of a known form, was drawn by chance, or hides a name and a password. */
export function looksSecret(piece: string): boolean {
  if (piece.length < 8) return false;
  if (FORMS.some((form) => form.test(piece)) || HEX.test(piece)) return true;
  if (UUID.test(piece) || !BASE64.test(piece)) return false;
  return isDrawn(piece) || hidesCredentials(piece);
}

/** A word that a person would not write: it follows a word such as "password". */
export function looksGenerated(word: string): boolean {
  let letters = 0;
  let others = 0;
  for (const character of word) {
    if (/\p{L}/u.test(character)) letters++;
    else others++;
  }
  return others > 0 && (letters > 0 || others >= 4);
}

function isDrawn(piece: string): boolean {
  if (piece.length < DRAWN_CHARACTERS_MIN) return false;
  let changes = 0;
  let digits = 0;
  let letters = 0;
  let before = classOf(piece.charCodeAt(0));
  for (let at = 0; at < piece.length; at++) {
    const now = classOf(piece.charCodeAt(at));
    if (now !== before) changes++;
    if (now === 'digit') digits++;
    else if (now !== 'other') letters++;
    before = now;
  }
  return digits > 0 && letters > 4 && changes / (piece.length - 1) >= CHANGES_MIN;
}

function classOf(code: number): 'digit' | 'small' | 'capital' | 'other' {
  if (code >= 0x30 && code <= 0x39) return 'digit';
  if (code >= 0x61 && code <= 0x7a) return 'small';
  return code >= 0x41 && code <= 0x5a ? 'capital' : 'other';
}

/** Base64 of `user:password` or of JSON, as headers carry them; or the same in hexadecimal. */
function hidesCredentials(piece: string): boolean {
  if (piece.length >= DECODED_CHARACTERS_MIN && HEX_TEXT.test(piece)) return isAccount(Buffer.from(piece, 'hex'));
  const isLong = piece.length >= DECODED_CHARACTERS_MIN && CAPITALS.test(piece);
  return (isLong || (MIXED.test(piece) && piece.length % 4 === 0)) && isAccount(Buffer.from(piece, 'base64'));
}

function isAccount(bytes: Buffer): boolean {
  const text = bytes.toString();
  return READABLE.test(text) && /[:{@=]/.test(text.slice(1));
}
