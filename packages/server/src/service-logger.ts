import { type DestinationStream, type Logger, pino } from 'pino';
import type { Configuration } from './configuration/settings.ts';

/** What JSON may hold as it is, and a terminal or a reader of lines takes for a command or the end of a line. */
const CONTROL = /[\u007f-\u009f\u2028\u2029]/g;

/** Logs of the service: one JSON object per line, whatever a client wrote into the line of its request or a header. */
export function serviceLogger(level: Configuration['logLevel'], destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: { streamWrite: (line: string) => line.replace(CONTROL, escaped) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
