import { expect, it } from 'vitest';
import { textWidth } from '../../src/output/text-width.ts';

it.each([
  ['order.created', 13],
  ['', 0],
  ['größe', 5],
  ['gro\u0308\u00dfe', 5],
  ['注文', 4],
  ['주문', 4],
  ['ﾁｭｳﾓﾝ', 5],
  ['ＡＢ', 4],
  ['…', 1],
  ['🙂', 2],
  ['👩‍🚀', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['a\u200bb', 2],
])('%s takes as many cells as a terminal gives it', (text, width) => {
  expect(textWidth(text)).toBe(width);
});
