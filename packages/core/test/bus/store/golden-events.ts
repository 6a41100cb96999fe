import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Appendable, parsePriority } from '@event-manager/core';

/** Events as earlier versions of a program stored them. The file is never written anew: what is in it has to load for ever. */
export function goldenEvents(): Appendable[] {
  const text = readFileSync(join(import.meta.dirname, 'golden-events.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { id, topic, type, source, priority, timestamp } = JSON.parse(line);
      const lane = parsePriority(priority)!;
      const canonical = topic.replaceAll('.', '/');
      const timestampMs = Date.parse(timestamp);
      return { id, topic: canonical, lane, flags: 0, type, source, timestampMs, body: Buffer.from(line) };
    });
}
