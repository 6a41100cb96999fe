import type { EventBusAdapter } from '../../contracts/adapter.ts';
import type { Exchange } from '../../contracts/exchange.ts';
import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import { Peers } from '../../peers/peers.ts';
import { Requests } from '../../peers/requests.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Attachments } from '../attachments.ts';
import type { Catalog } from '../catalog.ts';
import { Announcements } from './announcements.ts';
import { AskOwner } from './ask-owner.ts';
import { EventReader } from './event-reader.ts';
import { HostedCalls } from './hosted-calls.ts';
import { Placement } from './placement.ts';
import { RemoteCalls } from './remote-calls.ts';
import { RemoteMembers } from './remote-members.ts';

export interface ElsewhereOptions {
  readonly adapter: EventBusAdapter;
  readonly exchange: Exchange;
  readonly owner: string;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  readonly catalog: Catalog;
  readonly attachments: Attachments;
  /** The subscriptions whose events this process replaces by something else. */
  readonly enriched: ReadonlyMap<string, unknown>;
  readonly duty: {
    isHeld(subscriptionId: string): boolean;
    holderOf(subscriptionId: string): string | undefined;
    giveBack(subscriptionId: string, to: string | undefined): void;
    look(): void;
  };
  readonly onFailure: (error: unknown) => void;
}

/** Several processes on one store: what each of them does for the others. Absent where the adapter carries no letters. */
export class Elsewhere {
  readonly peers: Peers;
  readonly requests: Requests;
  readonly owner: AskOwner;
  readonly reader: EventReader;
  readonly calls: RemoteCalls;
  readonly remote: RemoteMembers;
  readonly hosted: HostedCalls;
  readonly announcements: Announcements;
  readonly placement: Placement;

  constructor(options: ElsewhereOptions) {
    const { adapter, exchange, owner, dispatch, runtime, attachments, catalog, duty, enriched, onFailure } = options;
    const { store, state } = adapter;
    const facts = () => ({ held: this.placement.held });
    const peers = new Peers({ exchange, self: owner, runtime, facts, onFailure });
    this.peers = peers;
    this.requests = new Requests(peers, runtime, onFailure);
    this.owner = new AskOwner({ peers, requests: this.requests, state });
    const { bodies, partition } = dispatch;
    this.reader = new EventReader({ store, state, bodies, partition, timers: runtime.timers });
    this.calls = new RemoteCalls(peers, runtime);
    this.remote = new RemoteMembers({
      ...{ peers, calls: this.calls, attachments, dispatch, runtime, onFailure },
      onJoined: (id) => this.placement.review(id),
    });
    this.hosted = new HostedCalls({
      ...{ peers, runtime, onFailure },
      memberOf: (id, key) => this.announcements.memberOf(id, key),
      read: (positions, deadLetter) => this.reader.readOwn(deadLetter) ?? this.reader.read(positions),
    });
    this.announcements = new Announcements({
      ...{ peers, runtime, attachments, dispatch },
      holderOf: (id) => duty.holderOf(id),
      wishes: () => [...enriched.keys()],
    });
    this.placement = new Placement({
      ...{ peers, remote: this.remote, catalog, attachments, dispatch, clock: runtime.clock },
      isHeld: (id) => duty.isHeld(id),
      isEnriched: (id) => enriched.has(id),
      giveBack: (id, to) => duty.giveBack(id, to),
      onFree: () => duty.look(),
    });
  }

  /** After each look at the leases: names the members of this process, and gives back what others should serve. */
  looked(): void {
    this.announcements.tellAll();
    this.placement.reviewAll();
  }
}
