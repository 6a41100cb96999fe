import type { DeliverOptions, Delivery, Outcome, Sink } from '../../contracts/sink.ts';
import type { RemoteCalls, RemoteMember } from './remote-calls.ts';

/** Somebody else, or nobody: in a moment more is known. */
const NOT_NOW: Outcome = { status: 'busy', afterMs: 100 };

export interface RemoteSinkOptions {
  readonly calls: RemoteCalls;
  readonly member: Omit<RemoteMember, 'refused'>;
  /** It takes one delivery in a call. */
  readonly single: boolean;
  /** What is left of the lease under which it is handed something. */
  readonly validMs: () => number;
}

/** The way out to one member at another process. */
export class RemoteSink implements Sink {
  readonly single: boolean;
  /** False after a call that was not begun, until the member is heard of again. */
  isUp = true;
  readonly #options: RemoteSinkOptions;
  readonly #member: RemoteMember;

  constructor(options: RemoteSinkOptions) {
    this.#options = options;
    this.single = options.single;
    this.#member = {
      ...options.member,
      refused: () => {
        this.isUp = false;
      },
    };
  }

  /** Its process named it again. */
  heard(): void {
    this.isUp = true;
  }

  deliver(batch: readonly Delivery[], options: DeliverOptions): readonly Outcome[] | Promise<readonly Outcome[]> {
    const validMs = this.#options.validMs();
    if (!this.isUp || validMs <= 0) return batch.map(() => NOT_NOW);
    return this.#options.calls.deliver(this.#member, batch, options, validMs);
  }

  async close(): Promise<void> {
    this.#options.calls.releaseOf(this.#member);
  }
}
