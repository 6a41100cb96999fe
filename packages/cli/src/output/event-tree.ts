import type { EventGraph, GraphEvent } from '@event-manager/core';
import { plain } from './plain.ts';

interface Strokes {
  readonly branch: string;
  readonly last: string;
  readonly along: string;
  readonly blank: string;
}

const BOXES: Strokes = { branch: '├─ ', last: '└─ ', along: '│  ', blank: '   ' };
const ASCII: Strokes = { branch: '|- ', last: '`- ', along: '|  ', blank: '   ' };

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * A graph as trees: every event beneath its cause, what has none in the graph at the left. One line for each event, with what
 * `marks` has to say about it at the end.
 */
export function eventTree(graph: EventGraph, boxes: boolean, marks: ReadonlyMap<string, string> = new Map()): string[] {
  return new Drawing(graph, boxes ? BOXES : ASCII, marks).lines();
}

class Drawing {
  readonly #graph: EventGraph;
  readonly #strokes: Strokes;
  readonly #marks: ReadonlyMap<string, string>;
  readonly #byId: ReadonlyMap<string, GraphEvent>;
  readonly #effects: ReadonlyMap<string, readonly GraphEvent[]>;
  readonly #drawn = new Set<string>();
  readonly #lines: string[] = [];

  constructor(graph: EventGraph, strokes: Strokes, marks: ReadonlyMap<string, string>) {
    this.#marks = marks;
    this.#graph = graph;
    this.#strokes = strokes;
    this.#byId = new Map(graph.events.map((event) => [event.id, event]));
    this.#effects = Map.groupBy(
      graph.events.filter(({ causationId }) => causationId !== undefined),
      ({ causationId }) => causationId!.toLowerCase(),
    );
  }

  lines(): string[] {
    const missing = new Set(this.#graph.missing.map(({ id }) => id.toLowerCase()));
    const absent = new Set<string>();
    for (const event of this.#graph.events) {
      const cause = event.causationId?.toLowerCase();
      if (cause === undefined) this.#draw(event, '', '');
      else if (!this.#byId.has(cause) && !absent.has(cause)) {
        absent.add(cause);
        this.#lines.push(`${plain(event.causationId!)}  ${missing.has(cause) ? 'is not kept' : 'is not shown'}`);
        this.#drawEffects(cause, '', undefined);
      }
    }
    // What is left hangs on a cycle: one of it has to come first.
    for (const event of this.#graph.events) if (!this.#drawn.has(event.id)) this.#draw(event, '', '');
    return this.#lines;
  }

  #draw(event: GraphEvent, stroke: string, indent: string, cause?: GraphEvent): void {
    if (this.#drawn.has(event.id)) {
      this.#lines.push(`${stroke}${event.id}  closes a cycle`);
      return;
    }
    this.#drawn.add(event.id);
    const mark = this.#marks.get(event.id);
    this.#lines.push(`${stroke}${lineOf(event, cause)}${mark === undefined ? '' : plain(`  ! ${mark}`)}`);
    this.#drawEffects(event.id, indent, event);
  }

  #drawEffects(id: string, indent: string, cause: GraphEvent | undefined): void {
    const effects = this.#effects.get(id) ?? [];
    for (const [at, effect] of effects.entries()) {
      const isLast = at === effects.length - 1;
      const { branch, last, along, blank } = this.#strokes;
      this.#draw(effect, `${indent}${isLast ? last : branch}`, `${indent}${isLast ? blank : along}`, cause);
    }
  }
}

function lineOf(event: GraphEvent, cause: GraphEvent | undefined): string {
  const topic = event.topic === event.type ? '' : ` on ${event.topic}`;
  const time =
    cause === undefined ? event.recordedAt : waitWords(Date.parse(event.recordedAt) - Date.parse(cause.recordedAt));
  const mark = event.relation === 'asked' ? '  <- asked for' : '';
  return plain(`${time}  ${event.type}${topic}  from ${event.source}  ${event.id}${mark}`);
}

/** How long after its cause; an event that was stored before what it says it followed from has a minus. */
function waitWords(ms: number): string {
  const sign = ms < 0 ? '-' : '+';
  const size = Math.abs(ms);
  if (size < SECOND_MS) return `${sign}${size} ms`;
  if (size < MINUTE_MS) return `${sign}${(size / SECOND_MS).toFixed(1)} s`;
  if (size < HOUR_MS) return `${sign}${Math.floor(size / MINUTE_MS)} min`;
  if (size < DAY_MS) return `${sign}${(size / HOUR_MS).toFixed(1)} h`;
  return `${sign}${(size / DAY_MS).toFixed(1)} d`;
}
