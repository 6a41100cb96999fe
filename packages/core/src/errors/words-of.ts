/** What an error says. Anything can be thrown, also what has no text: there `String` throws itself, where nobody expects it. */
export function wordsOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'what was thrown has no text';
  }
}
