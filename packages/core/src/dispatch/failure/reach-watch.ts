import type { AttemptError } from '../../contracts/sink.ts';
import type { ActiveSubscription } from '../active-subscription.ts';

export type ReachChange =
  | { readonly what: 'unreachable'; readonly error?: AttemptError }
  | { readonly what: 'reachable' };

/**
 * Notices receivers that we dial, have no other way to, and find away at two looks in a row: nothing is attempted then, so nothing fails, and
 * no failure is ever told. A shorter absence is the daily bread of connections.
 *
 *     connected ──away──▶ away ──away at the next look──▶ told ──connected──▶ connected, and that is told
 *
 * A change of the subscription makes another connection, but no other receiver of it that nobody was told of: so it goes by id.
 */
export class ReachWatch {
  readonly #active: ReadonlyMap<string, ActiveSubscription>;
  readonly #away = new Map<string, 'seen' | 'told'>();

  constructor(active: ReadonlyMap<string, ActiveSubscription>) {
    this.#active = active;
  }

  look(onChanged: (subscription: ActiveSubscription, change: ReachChange) => void): void {
    for (const id of this.#away.keys()) if (!this.#active.has(id)) this.#away.delete(id);
    for (const subscription of this.#active.values()) {
      if (!isDialledAlone(subscription)) continue;
      const { id, sink, definition } = subscription;
      const before = this.#away.get(id);
      if (sink.realtime?.connected) {
        this.#away.delete(id);
        if (before === 'told') onChanged(subscription, { what: 'reachable' });
      } else if (sink.isUp === false && before !== 'told' && definition.state === 'active') {
        this.#away.set(id, before === 'seen' ? 'told' : 'seen');
        const error = sink.realtime?.lastError;
        if (before === 'seen') onChanged(subscription, { what: 'unreachable', ...(error ? { error } : {}) });
      }
    }
  }
}

function isDialledAlone({ definition: { sink } }: ActiveSubscription): boolean {
  return sink.kind === 'websocket' && sink.fallback === undefined;
}
