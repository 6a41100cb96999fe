import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import type { JsonObject, JsonValue } from '@event-manager/core/portable';
import type { CliContext } from '../cli-context.ts';
import { CommandFailure } from '../exit-codes.ts';

/** JSON as it is given on a command line: the text itself, `@FILE`, or `-` for standard input. */
export async function readJsonArgument(context: CliContext, what: string, given: string): Promise<JsonValue> {
  const text = await readGiven(context, what, given);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    const reason = (error as Error).message;
    throw new CommandFailure('wrongUse', `${what} is not JSON: ${reason}`);
  }
}

export async function readObjectArgument(context: CliContext, what: string, given: string): Promise<JsonObject> {
  const value = await readJsonArgument(context, what, given);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new CommandFailure('wrongUse', `${what} is not a JSON object`);
}

async function readGiven({ surroundings }: CliContext, what: string, given: string): Promise<string> {
  if (given === '-') return textOf(surroundings.stdin);
  if (!given.startsWith('@')) return given;
  try {
    return await readFile(given.slice(1), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure('wrongUse', `${what} names a file that cannot be read: ${given.slice(1)} (${code})`);
  }
}
