import { EventManagerError } from '@event-manager/core';

const CURSOR_CHARACTERS_MAX = 4_096;

/** The cursor of a list that is in the order of names: the last name of the page. */
export function cursorOfName(name: string): string {
  return Buffer.from(name).toString('base64url');
}

/** Throws `invalid_cursor`. */
export function nameOfCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const name = cursor.length > CURSOR_CHARACTERS_MAX ? '' : bytes.toString();
  const isName = name !== '' && Buffer.from(name).equals(bytes) && !/\p{Cc}/u.test(name);
  if (isName && bytes.toString('base64url') === cursor) return name;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}
