import type { EventBusAdapter } from '../contracts/adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Limits } from '../limits.ts';
import type { Principal } from '../principal.ts';
import { encodeCursor } from '../query/cursor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { KeptProjections } from './kept-projections.ts';
import { parseProjection } from './parse-projection.ts';
import type { Projection, ProjectionDefinition } from './projection.ts';
import { Projector } from './projector.ts';

const KEYS_PAGE = 100;
const KEYS_PAGE_MAX = 1_000;

export interface ProjectionsOptions {
  readonly adapter: EventBusAdapter;
  readonly partition: number;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly owner: string;
  readonly onFailure: (error: unknown) => void;
}

/** The projections that this process folds or follows. */
export class Projections {
  /** What is kept, whoever folds it. */
  readonly kept: KeptProjections;
  readonly #options: ProjectionsOptions;
  readonly #open = new Map<string, Projector>();
  #isClosed = false;

  constructor(options: ProjectionsOptions) {
    this.#options = options;
    const { adapter, partition, owner } = options;
    this.kept = new KeptProjections({ state: adapter.state, partition, owner, isOpen: (name) => this.#open.has(name) });
  }

  /**
   * Resolves when it is known whether this process folds. Throws `projection_conflict`, `invalid_pattern`, `invalid_filter`, and
   * `TypeError` for a mistake in the program.
   */
  async open<State>(_principal: Principal, given: ProjectionDefinition<State, never>): Promise<Projection<State>> {
    if (this.#isClosed) throw new EventManagerError('closed', 'The event manager is closed.');
    const { limits, ...rest } = this.#options;
    const definition = parseProjection(given as unknown as ProjectionDefinition<unknown>, limits);
    const { name, version } = definition;
    if (this.#open.has(name)) {
      throw new EventManagerError('projection_conflict', `The projection ${name} is open in this process.`, { name });
    }
    const projector = new Projector({ ...rest, definition });
    this.#open.set(name, projector);
    try {
      await projector.start();
    } catch (error) {
      await this.#close(name, projector);
      throw error;
    }
    return this.#faceOf<State>(name, version, projector);
  }

  /** The log grew here. */
  advanced(): void {
    for (const projector of this.#open.values()) projector.advanced();
  }

  /** Another process may have appended or kept something. */
  poke(): void {
    for (const projector of this.#open.values()) projector.poke();
  }

  /** Keeps what is folded and gives every lease back. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#open].map(([name, projector]) => this.#close(name, projector)));
  }

  async #close(name: string, projector: Projector): Promise<void> {
    try {
      await projector.close();
    } finally {
      if (this.#open.get(name) === projector) this.#open.delete(name);
    }
  }

  /** What is handed out: nothing of the engine can be reached through it. */
  #faceOf<State>(name: string, version: number, projector: Projector): Projection<State> {
    const { partition } = this.#options;
    const close = () => this.#close(name, projector);
    return {
      name,
      version,
      get status() {
        return projector.status;
      },
      get error() {
        return projector.error;
      },
      get position() {
        return encodeCursor([{ partition, position: projector.position }]);
      },
      get gaps() {
        return projector.gaps;
      },
      get state() {
        return projector.state as State;
      },
      get: (key) => projector.get(key) as Promise<State | undefined>,
      keys: async ({ after, limit = KEYS_PAGE } = {}) => {
        if (Number.isInteger(limit) && limit >= 1 && limit <= KEYS_PAGE_MAX) return projector.keys(after, limit);
        throw new TypeError(`limit is a whole number from 1 to ${KEYS_PAGE_MAX}.`);
      },
      caughtUp: () => projector.caughtUp(),
      rebuild: () => projector.rebuild(),
      close,
      [Symbol.asyncDispose]: close,
    };
  }
}
