/** Controls move the cursor of a terminal or colour it; marks of direction and ends of lines make a text look like another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const MISLEADING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** What others wrote, so that it shows what it is. In one line of JSON such characters stand in texts alone, and mean the same as they are written here. */
export function plain(text: string): string {
  return text.replace(MISLEADING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
