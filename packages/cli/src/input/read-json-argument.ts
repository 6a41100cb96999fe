import { createReadStream } from 'node:fs';
import type { JsonObject, JsonValue } from '@event-manager/core/portable';
import type { CliContext } from '../cli-context.ts';
import { CommandFailure } from '../exit-codes.ts';
import { readBoundedText } from './bounded-text.ts';

export const QUOTES_ADVICE = `put JSON in single quotes, '{"total": 12.5}', because the shell takes the others away`;

/** JSON as it is given on a command line: the text itself, `@FILE`, or `-` for standard input. */
export async function readJsonArgument(context: CliContext, what: string, given: string): Promise<JsonValue> {
  const text = await readGiven(context, what, given);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    const reason = (error as Error).message;
    throw new CommandFailure('wrongUse', `${what} is not JSON: ${reason}${quotesMissing(text)}`);
  }
}

/** A shell takes the quotes that it finds for its own, unless there are others around them. */
function quotesMissing(text: string): string {
  const isBare = /^\s*[{[]/.test(text) && !text.includes('"');
  return isBare ? `; ${QUOTES_ADVICE}` : '';
}

export async function readObjectArgument(context: CliContext, what: string, given: string): Promise<JsonObject> {
  const value = await readJsonArgument(context, what, given);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new CommandFailure('wrongUse', `${what} is not a JSON object`);
}

async function readGiven({ surroundings }: CliContext, what: string, given: string): Promise<string> {
  const isFile = given.startsWith('@');
  if (!isFile && given !== '-') return given;
  try {
    return await readBoundedText(isFile ? createReadStream(given.slice(1)) : surroundings.stdin);
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    // What is wrong with the bytes, and not with the file.
    if (syscall === undefined) throw new CommandFailure('wrongUse', `${what} is not JSON: ${message}`);
    throw new CommandFailure('wrongUse', `${what} names a file that cannot be read: ${given.slice(1)} (${code})`);
  }
}
