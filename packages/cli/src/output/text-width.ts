import { eastAsianWidth } from 'get-east-asian-width';

const GRAPHEMES = new Intl.Segmenter();
const ASCII = /^[ -~]*$/;
const NOTHING = /^[\p{Default_Ignorable_Code_Point}\p{Mark}\p{Control}]+$/u;
/** Drawn as one picture of two cells, whatever its code points would take by themselves. */
const PICTURE = /^\p{RGI_Emoji}$/v;

/** How many cells of a terminal a text takes: what people read as one character is one, two (CJK, emoji) or none. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += cellsOf(segment);
  return width;
}

function cellsOf(grapheme: string): number {
  if (NOTHING.test(grapheme)) return 0;
  return PICTURE.test(grapheme) ? 2 : eastAsianWidth(grapheme.codePointAt(0)!);
}
