import type { AttemptError, Outcome } from '../../contracts/sink.ts';
import type { JsonObject } from '../../json.ts';
import { keptMetadata } from '../../sink/kept-metadata.ts';

const MESSAGE_CHARACTERS_MAX = 1_024;
/** A letter holds more; several of them travel in one envelope. */
const BYTES_MAX = 16 * 1024;

/** Outcomes as letters hold them: `from` is the place of the first one in its batch. */
export interface OutcomePart {
  readonly from: number;
  readonly outcomes: readonly JsonObject[];
}

/** In parts that fit into letters, however much each has to say. */
export function outcomeParts(outcomes: readonly Outcome[]): OutcomePart[] {
  const parts: OutcomePart[] = [];
  let part: JsonObject[] = [];
  let bytes = 0;
  for (const [at, outcome] of outcomes.entries()) {
    const encoded = encodeOutcome(outcome);
    const more = Buffer.byteLength(JSON.stringify(encoded));
    if (bytes + more > BYTES_MAX && part.length > 0) {
      parts.push({ from: at - part.length, outcomes: part });
      part = [];
      bytes = 0;
    }
    part.push(encoded);
    bytes += more;
  }
  parts.push({ from: outcomes.length - part.length, outcomes: part });
  return parts;
}

/** A sink with a bug may say anything: what is no outcome is told so by whoever settles it. */
export function encodeOutcome(outcome: Outcome): JsonObject {
  const { status, error, afterMs, unreached } = outcome as {
    status: string;
    error?: AttemptError;
    afterMs?: number;
    unreached?: true;
  };
  return {
    status,
    ...(error === undefined ? {} : { error: encodeError(error) }),
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(unreached ? { unreached } : {}),
  };
}

function encodeError({ code, message, metadata }: AttemptError): JsonObject {
  const kept = keptMetadata(metadata);
  return {
    code: String(code),
    message: String(message).slice(0, MESSAGE_CHARACTERS_MAX),
    ...(kept === undefined ? {} : { metadata: kept }),
  };
}
