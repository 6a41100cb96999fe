import { ErrorReply } from 'redis';

export const SILENT = 'Redis does not answer.';
export const UNREACHABLE = 'Redis cannot be reached.';
export const REPLICA = 'The Redis at this address is a replica.';

/** A failure in words for everybody: those of the driver may name hosts. Of what the server says, its code alone. */
export function whyAway(error: unknown): string {
  if (!(error instanceof ErrorReply)) return UNREACHABLE;
  const [code = ''] = error.message.split(' ');
  return /^[A-Z]{2,20}$/.test(code) ? `Redis refuses (${code}).` : 'Redis refuses.';
}
