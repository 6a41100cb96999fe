import type { Elsewhere } from './elsewhere.ts';

/** The processes that share the store, as one of them knows them. */
export interface Instances {
  /** The name of this one. */
  readonly self: string;
  /** The names of those that live, this one among them. */
  readonly live: readonly string[];
  /** Leases of subscriptions: those that this process has, and since it began those that came, that were lost, and that it gave to others. */
  readonly leases: { readonly held: number; readonly acquired: number; readonly lost: number; readonly moved: number };
  readonly letters: {
    readonly sent: number;
    readonly received: number;
    /** In a shape that this version does not know. */
    readonly unreadable: number;
    /** Questions that got no answer. */
    readonly unanswered: number;
  };
  readonly members: {
    /** Of other processes, that this one serves. */
    readonly remote: number;
    /** Deliveries handed to them, and those that they did not begin or gave back. */
    readonly handed: number;
    readonly givenBack: number;
    /** Deliveries under way at members here for owners elsewhere. */
    readonly hosted: number;
  };
}

export function instancesOf(
  { peers, requests, remote, calls, hosted }: Elsewhere,
  leases: Instances['leases'],
): Instances {
  return {
    self: peers.self,
    live: peers.live,
    leases,
    letters: { ...peers.counts, unanswered: requests.counts.unanswered },
    members: { remote: remote.count, ...calls.counts, hosted: hosted.size },
  };
}
