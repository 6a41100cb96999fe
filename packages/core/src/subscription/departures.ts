/**
 * How handlers and sockets leave their subscriptions.
 *
 *     attached ──detach──▶ leaving, finishes what it has ──▶ gone
 *                                                             └──it was the last, and nobody joined meanwhile──▶ not served here
 *
 * While another member is attached, or there is a fallback, the subscription goes on; else a named one waits and an unnamed
 * one ends. What needs nobody attached has nobody to leave. The last one leaves in two changes, so that whoever joins while it
 * finishes takes over without a gap.
 */
import type { Sink } from '../contracts/sink.ts';
import { type Attached, needsAttaching } from './attached.ts';
import type { Attachments } from './attachments.ts';
import type { Catalog } from './catalog.ts';
import type { Duty, LeaveOptions } from './duty.ts';

export interface DetachOptions {
  /** Only if this one is attached. */
  readonly sink?: Sink | undefined;
  /** Time for attempts under way, milliseconds; default 5 s. What has not ended by then is released, which costs no failure. */
  readonly drainMs?: number | undefined;
}

export interface DeparturesOptions {
  readonly catalog: Catalog;
  readonly attachments: Attachments;
  readonly duty: Duty;
  /** Takes one that ends with its members out of service, and of the catalog. */
  readonly removeEphemeral: (id: string, options: LeaveOptions) => Promise<void>;
}

export class Departures {
  readonly #options: DeparturesOptions;

  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  async detach(id: string, { sink, drainMs }: DetachOptions): Promise<void> {
    const { catalog, attachments, duty, removeEphemeral } = this.#options;
    const leaving = await duty.exclusive(id, async () => {
      const members = attachments.of(id)?.all ?? [];
      const leavers = members.filter((member) => sink === undefined || member.sink === sink);
      if (catalog.isDurable(id)) {
        // What they have under way need not keep others from joining, changing and leaving.
        return { leavers, ended: Promise.all(leavers.map((member) => duty.leaveOne(id, member, drainMs))) };
      }
      if (sink === undefined || leavers.length > 0) {
        await removeEphemeral(id, { drainMs });
      }
      return undefined;
    });
    if (!leaving) return;
    await leaving.ended;
    await duty.exclusive(id, () => this.#restUnlessJoined(id, leaving.leavers));
  }

  /** Nobody serves it here, unless somebody came while the last one left. */
  async #restUnlessJoined(id: string, leavers: readonly Attached[]): Promise<void> {
    const { catalog, attachments, duty } = this.#options;
    const definition = catalog.get(id);
    if (!definition || !needsAttaching(definition) || attachments.has(id)) return;
    try {
      await duty.leave(id, async () => {});
    } catch (error) {
      // Not left: those go on that can.
      for (const leaver of leavers) if (leaver.sink.isUp !== false) attachments.join(id, leaver);
      throw error;
    }
  }
}
