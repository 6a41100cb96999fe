import {
  ANONYMOUS,
  type DeadLetter,
  type Engine,
  EventManagerError,
  namedSubscriptionId,
  type PlantedBug,
  type SubscriptionDefinition,
} from '@event-manager/core';
import { type HistoryEntry, type HistoryReport, SeededChance, VirtualTime } from '@event-manager/testing';
import type { LiveSubscription, RunWorld, Trait } from './features/feature.ts';
import { lettersTold } from './letters-told.ts';
import { splitLives } from './lives.ts';
import { livesIn } from './lives-in.ts';
import { longestWayMs } from './longest-way.ts';
import { makeSubscription, requestOf } from './make-subscription.ts';
import { drawPlan, type FaultPlan, type Plan } from './plan.ts';
import { publishAll } from './publisher.ts';
import { readLog } from './read-log.ts';
import { type OnDelivery, Receiver } from './receivers.ts';
import { removedDebts } from './removed-debts.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { Trace } from './trace.ts';
import { trimWhatIsSettled } from './trim.ts';
import { isOfLastLife, judge } from './verdict.ts';
import { createWorld, type World } from './world.ts';

/** Virtual time within which everything owed must be settled once all faults are over. */
const SETTLE_WITHIN_MS = 600_000;
const RUN_WITHIN_MS = 3_600_000;
/** How long somebody waits for the answer to an operation before he tries again. */
const OPERATION_MS_MAX = 10_000;

export interface SeedResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly violations: readonly string[];
  readonly traceHash: string;
  /** How often a process was ended at each failpoint. */
  readonly fired: ReadonlyMap<string, number>;
  /** How often somebody did something of `ACTIONS`. */
  readonly did: ReadonlyMap<string, number>;
  readonly report: ReturnType<typeof judge>['report'] | undefined;
  readonly trace: readonly string[];
}

export interface SeedOptions {
  readonly failpoints: readonly string[];
  readonly planted?: ReadonlySet<PlantedBug>;
  /** Lines of the trace to keep. Default: none. */
  readonly traceLines?: number;
}

/** Runs the whole product once as the seed says, and judges what its clients saw. */
export async function runSeed(seed: number, options: SeedOptions): Promise<SeedResult> {
  return new SimulatedRun(seed, options).run();
}

class SimulatedRun {
  readonly #seed: number;
  readonly #options: SeedOptions;
  readonly #chance: SeededChance;
  readonly #plan: Plan;
  readonly #time = new VirtualTime();
  readonly #trace: Trace;
  readonly #history: HistoryEntry[] = [];
  readonly #receivers = new Map<string, Receiver>();
  readonly #names = new Map<string, string>();
  readonly #world: World;
  readonly #processes: (SimulatedProcess | undefined)[] = [];
  readonly #hits = new Map<string, number>();
  readonly #fired = new Map<string, number>();
  readonly #violations: string[] = [];
  #started = 0;
  #abruptEnds = 0;
  #acknowledgedAfterFailure = 0;
  #isArmed = false;
  readonly #lostConnections = new Map<string, number>();
  readonly #did = new Map<string, number>();
  readonly #runWorld: RunWorld;

  constructor(seed: number, options: SeedOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#chance = new SeededChance(seed);
    this.#plan = drawPlan(seed, this.#chance.fork('plan'), options.failpoints);
    this.#trace = new Trace(options.traceLines ?? 0);
    const { plan, time, note } = { plan: this.#plan, time: this.#time, note: this.#note };
    const onHandover = (id: string) => this.#interrupt(this.#names.get(id));
    const onBegunLost = () => {
      for (const name of this.#names.values()) this.#loseConnection(name);
    };
    this.#world = createWorld({ plan, time, chance: this.#chance.fork('world'), note, onHandover, onBegunLost });
    this.#runWorld = this.#createRunWorld();
    for (const subscription of plan.subscriptions) {
      const chance = this.#chance.fork(`receiver ${subscription.name}`);
      const history = this.#history;
      this.#receivers.set(subscription.name, new Receiver({ plan: subscription, time, chance, history, note }));
      const order = Object.values(subscription.traits).find((trait) => trait.order)?.order;
      const besideMs = longestWayMs(subscription, plan.engines);
      const isSpread = besideMs > 0 ? { besideMs } : {};
      history.push({ kind: 'subscribe', subscription: subscription.name, ...(order ? { order } : {}), ...isSpread });
    }
  }

  async run(): Promise<SeedResult> {
    let report: SeedResult['report'];
    try {
      await this.#setUp();
      await this.#live();
      await this.#heal();
      if (this.#plan.traits['sleep']) await this.#restart();
      report = await this.#judge();
    } catch (error) {
      // What made it fail comes first.
      this.#checkDamage();
      this.#violations.push(`run failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    return {
      seed: this.#seed,
      plan: this.#plan,
      violations: this.#violations,
      traceHash: this.#trace.digest(),
      fired: this.#fired,
      did: this.#did,
      report,
      trace: this.#trace.lines,
    };
  }

  readonly #note = (what: string): void => this.#trace.add(this.#time.monotonicMs(), what);

  /** All processes up and all subscriptions made, before anything goes wrong. */
  async #setUp(): Promise<void> {
    for (let slot = 0; slot < this.#plan.engines; slot++) await this.#time.run(this.#launch(slot));
    const first = this.#processes[0]?.engine;
    if (!first) throw new TypeError('The first process did not start.');
    for (const plan of this.#plan.subscriptions) {
      if (plan.via === 'handler') continue;
      const { id } = await this.#time.run(makeSubscription(first, plan));
      this.#names.set(id, plan.name);
    }
  }

  /** Publishers, crashes and faults together, until every event is acknowledged. */
  async #live(): Promise<void> {
    this.#isArmed = true;
    for (const afterMs of this.#plan.crashAfterMs) {
      this.#time.after(afterMs, () => this.#crash(this.#anyProcess(), 'by chance'));
    }
    for (const fault of this.#plan.faults) this.#time.after(fault.afterMs, () => this.#fault(fault));
    this.#watchFailures();
    for (const trait of Object.values(this.#plan.traits)) trait.live?.(this.#runWorld);
    for (const live of this.#liveSubscriptions()) {
      for (const trait of Object.values(live.plan.traits)) trait.live?.(live);
    }
    const work = Array.from({ length: this.#plan.publishers }, (_, at) =>
      publishAll({
        name: `publisher-${at}`,
        plan: this.#plan,
        time: this.#time,
        chance: this.#chance.fork(`publisher ${at}`),
        history: this.#history,
        note: this.#note,
        anyProcess: () => this.#anyProcess(),
        world: this.#runWorld,
        onAcknowledgedAfterFailure: () => {
          this.#acknowledgedAfterFailure++;
        },
      }),
    );
    await this.#time.run(Promise.all(work), RUN_WITHIN_MS);
    await this.#time.advance(this.#chance.integer(5_000));
  }

  /** No more trouble: everything owed must be settled. */
  async #heal(): Promise<void> {
    this.#isArmed = false;
    this.#world.heal();
    for (const receiver of this.#receivers.values()) receiver.isHealed = true;
    await this.#allUp();
    // A process whose store failed is restarted by its operator first.
    await this.#time.advance(1_000);
    await this.#allUp();
    const traits = this.#liveSubscriptions().flatMap((live) =>
      Object.values(live.plan.traits).map((trait) => ({ trait, live })),
    );
    for (const trait of Object.values(this.#plan.traits)) await this.#finish(trait.heal?.(this.#runWorld));
    for (const { trait, live } of traits) await this.#finish(trait.heal?.(live));
    await this.#settle(traits);
  }

  /** Everybody ends in order and begins again: what a process that slept wrote too late is read now, and must owe nobody anything. */
  async #restart(): Promise<void> {
    await this.#time.run(Promise.all(this.#processes.map((process) => process?.awakes)), SETTLE_WITHIN_MS);
    await this.#time.advance(1_000);
    const deliveries = () => this.#history.filter(({ kind }) => kind === 'deliver').length;
    const before = deliveries();
    for (const process of this.#processes) {
      await this.#finish(process?.engine?.close());
      process?.die();
    }
    await this.#allUp();
    await this.#settle([]);
    const again = deliveries() - before;
    if (again > 0) this.#violations.push(`C4 ${again} deliveries of what was settled, after an orderly restart`);
  }

  async #allUp(): Promise<void> {
    const isUp = () => this.#processes.every((process) => process?.isAlive && process.engine);
    await this.#time.runUntil(isUp, SETTLE_WITHIN_MS);
  }

  async #settle(traits: readonly { trait: Trait; live: LiveSubscription }[]): Promise<void> {
    for (let rounds = 0; ; rounds++) {
      // Twice: an answer of the first look may be older than what settled the rest, and what that left is seen by the second.
      const unsettled = (await this.#whatIsOpen()) || (await this.#whatIsOpen());
      // Asked last: what an attempt that was still open would have left for them is there by now.
      const asked = traits.map(({ trait, live }) => trait.whileHealing?.(live));
      const words = (await this.#time.run(Promise.all(asked), SETTLE_WITHIN_MS)).filter((word) => word !== undefined);
      const open = [unsettled, ...words].filter((word) => word !== '').join('; ');
      if (open === '') return;
      if (rounds * 500 > SETTLE_WITHIN_MS) throw new RangeError(`Not settled: ${open}`);
      await this.#time.advance(500);
    }
  }

  async #finish(work: Promise<void> | undefined): Promise<void> {
    if (work) await this.#time.run(work, SETTLE_WITHIN_MS);
  }

  async #judge(): Promise<SeedResult['report']> {
    const process = this.#processes[0];
    const engine = process?.engine;
    if (!engine) throw new TypeError('The first process is gone.');
    const deadLetters: readonly DeadLetter[] = await this.#time.run(engine.deadLetters.all(ANONYMOUS));
    const ids = [...new Set(this.#history.flatMap((entry) => (entry.kind === 'ok' ? [entry.id] : [])))];
    const records = await this.#time.run(process.adapter.store.get(ids));
    const stored = new Map<string, string>();
    for (const record of records) if (record) stored.set(record.id, Buffer.from(record.body).toString());
    const log = await this.#time.run(readLog(process.adapter.store));
    this.#history.push(...lettersTold(this.#plan, log, (id) => this.#names.get(id)));
    for (const { id, place } of log) {
      if (ids.includes(id)) this.#history.push({ kind: 'ok', id, position: place.position });
    }
    const known = { history: this.#history, names: this.#names, log, deadLetters };
    const lives = await this.#time.run(livesIn(process.adapter, known));
    const ofLastLife = deadLetters.filter((letter) =>
      isOfLastLife(letter, this.#names.get(letter.subscriptionId) ?? '', lives),
    );
    const lastLives = splitLives(this.#history, lives);
    const removed = removedDebts(lastLives, this.#names, ofLastLife, process.adapter.state);
    this.#history.push(...(await this.#time.run(removed)));
    for (const { wrong } of this.#receivers.values()) this.#violations.push(...wrong);
    const verdict = judge({
      plan: this.#plan,
      history: this.#history,
      interruptions: (name) => this.#interruptions(name),
      deadLetters,
      lives,
      cuts: (name, id) => this.#receivers.get(name)?.cuts(id) ?? 0,
      nameOf: (id) => this.#names.get(id) ?? id,
      stored,
      acknowledgedAfterFailure: this.#acknowledgedAfterFailure,
    });
    this.#violations.push(...verdict.violations, ...(await this.#judgeTraits(verdict.report)));
    await this.#time.run(Promise.all(this.#processes.map((each) => each?.engine?.close())));
    this.#note(JSON.stringify({ ...verdict.report, subscriptions: undefined }));
    return verdict.report;
  }

  async #judgeTraits(report: HistoryReport): Promise<string[]> {
    const judged: (string[] | Promise<string[]> | undefined)[] = [];
    for (const trait of Object.values(this.#plan.traits)) judged.push(trait.judge?.(this.#runWorld));
    for (const live of this.#liveSubscriptions()) {
      const own = report.subscriptions.find(({ subscription }) => subscription === live.plan.name)!;
      for (const trait of Object.values(live.plan.traits)) judged.push(trait.judge?.(own, live));
    }
    const words = await this.#time.run(Promise.all(judged), SETTLE_WITHIN_MS);
    return words.flatMap((each) => each ?? []);
  }

  #liveSubscriptions(): LiveSubscription[] {
    return this.#plan.subscriptions.map((plan) => {
      const [id] = [...this.#names].find(([, name]) => name === plan.name)!;
      // Its own chance: whatever it draws, the others draw the same.
      return Object.assign(Object.create(this.#runWorld) as RunWorld, {
        ...{ plan, id },
        receiver: this.#receivers.get(plan.name)!,
        request: requestOf(plan),
        watch: (process: SimulatedProcess) => this.#watch(id, process),
        interrupted: () => this.#loseConnection(plan.name),
      });
    });
  }

  #createRunWorld(): RunWorld {
    const run = this;
    return {
      ...{ time: this.#time, history: this.#history, note: this.#note, chance: this.#chance.fork('features') },
      get isHealing() {
        return !run.#isArmed;
      },
      operate: (operation) => this.#operate(operation),
      async insist(operation) {
        for (;;) {
          const done = await run.#operate(operation);
          if (done !== undefined) return done;
          await run.#time.wait(200);
        }
      },
      anyProcess: () => this.#anyProcess(),
      readLog: () => readLog(this.#processes.find((process) => process?.isAlive && process.engine)!.adapter.store),
      violation: (what) => void this.#violations.push(what),
      did: (action) => void this.#did.set(action, (this.#did.get(action) ?? 0) + 1),
    };
  }

  async #operate<T extends object>(operation: (engine: Engine) => Promise<T>): Promise<T | undefined> {
    const process = this.#anyProcess();
    if (!process?.engine) return undefined;
    const refused = (error: unknown) => {
      if (!(error instanceof EventManagerError)) this.#violations.push(`operation failed: ${String(error)}`);
      this.#note(`refused ${error instanceof EventManagerError ? error.code : ''}`);
      return undefined;
    };
    const work = operation(process.engine).catch(refused);
    const done = await Promise.race([work, process.died, this.#time.wait(OPERATION_MS_MAX)]);
    return done === undefined ? undefined : done;
  }

  #interruptions(name: string): number {
    const lost = this.#lostConnections.get(name) ?? 0;
    if (this.#plan.world === 'journal') return this.#abruptEnds + lost;
    const [id] = [...this.#names].find(([, known]) => known === name) ?? [];
    return (id === undefined ? 0 : this.#world.handovers(id)) + lost;
  }

  /** Starts a process in a slot, and again until it is up. */
  async #launch(slot: number): Promise<void> {
    for (;;) {
      const name = `process-${slot}-${this.#started++}`;
      const process = new SimulatedProcess({
        name,
        plan: this.#plan,
        world: this.#world,
        time: this.#time,
        chance: this.#chance.fork(name),
        planted: this.#options.planted ?? new Set(),
        sinkOf: (definition, process) => this.#sinkOf(definition, process),
        onFailpoint: (reached, failpoint) => this.#reach(reached, failpoint),
      });
      this.#processes[slot] = process;
      this.#note(`launch ${name}`);
      if ((await process.start()) && (await this.#attachHandlers(process))) break;
      this.#note(`failed ${name}`);
      process.die();
      await this.#time.wait(200);
    }
    const up = this.#processes[slot]!;
    void up.died.then(() => {
      this.#time.after(50 + this.#chance.integer(1_500), () => void this.#launch(slot));
    });
  }

  async #attachHandlers(process: SimulatedProcess): Promise<boolean> {
    for (const plan of this.#plan.subscriptions) {
      if (plan.via !== 'handler') continue;
      const watch = this.#watch(namedSubscriptionId(plan.name), process);
      const handler = this.#receivers.get(plan.name)!.handler(process, watch);
      const attaching = process.engine!.subscriptions.subscribe(ANONYMOUS, { ...requestOf(plan), handler });
      const definition = await Promise.race([attaching.catch(() => undefined), process.died]);
      if (!definition) return false;
      this.#names.set(definition.id, plan.name);
    }
    return process.isAlive;
  }

  #sinkOf(definition: SubscriptionDefinition, process: SimulatedProcess) {
    return this.#receivers.get(definition.name!)!.sink(process, this.#watch(definition.id, process));
  }

  #watch(id: string, process: SimulatedProcess): OnDelivery {
    return (events, decidedBy) => {
      this.#checkOwner(id, process, decidedBy);
      for (const trait of Object.values(this.#plan.traits)) {
        for (const event of events) trait.delivered?.(event, this.#runWorld);
      }
    };
  }

  /** Whoever decided about an attempt has the lease when it begins; a process that slept must notice before. */
  #checkOwner(id: string, process: SimulatedProcess, decidedBy = process.name): void {
    const owner = this.#world.ownerOf(id);
    if (!process.isAlive || owner === undefined || owner === decidedBy) return;
    const words = `for ${decidedBy} to ${this.#names.get(id)}, which ${owner} serves`;
    this.#violations.push(`C8 ${process.name} delivers ${words}`);
  }

  /** What was under way there may come again. */
  #loseConnection(name: string): void {
    this.#lostConnections.set(name, (this.#lostConnections.get(name) ?? 0) + 1);
    this.#interrupt(name);
  }

  #interrupt(name: string | undefined): void {
    if (name !== undefined) this.#history.push({ kind: 'interrupt', subscription: name });
  }

  #anyProcess(): SimulatedProcess | undefined {
    const alive = this.#processes.filter((process) => process?.isAlive && process.engine && !process.isAsleep);
    return alive.length === 0 ? undefined : this.#chance.pick(alive);
  }

  #reach(process: SimulatedProcess, failpoint: string): void {
    this.#note(`${process.name} ${failpoint}`);
    if (!this.#isArmed) return;
    const hits = (this.#hits.get(failpoint) ?? 0) + 1;
    this.#hits.set(failpoint, hits);
    if (!this.#plan.crashAt.some((point) => point.failpoint === failpoint && point.hit === hits)) return;
    this.#fired.set(failpoint, (this.#fired.get(failpoint) ?? 0) + 1);
    this.#crash(process, failpoint);
  }

  #crash(process: SimulatedProcess | undefined, why: string): void {
    if (!process?.isAlive || !this.#isArmed) return;
    this.#note(`crash ${process.name} ${why}`);
    this.#end(process);
  }

  #end(process: SimulatedProcess): void {
    this.#abruptEnds++;
    if (this.#plan.world === 'journal') for (const name of this.#names.values()) this.#interrupt(name);
    // What its members had in hand for an owner elsewhere comes again.
    else for (const { name, via } of this.#plan.subscriptions) if (via !== 'webhook') this.#loseConnection(name);
    process.die();
  }

  #fault(fault: FaultPlan): void {
    if (!this.#isArmed) return;
    this.#note(`fault ${fault.kind} ${fault.amountMs}`);
    if (fault.kind === 'clock-jump') this.#time.jumpWall(fault.amountMs);
    else if (fault.kind === 'trim') void this.#trim();
    else this.#world.fault(fault);
  }

  async #trim(): Promise<void> {
    const process = this.#anyProcess();
    if (!process) return;
    // A store that is full, failed or dead refuses, which is its right.
    const acknowledged = new Set(this.#history.flatMap((entry) => (entry.kind === 'ok' ? [entry.id] : [])));
    const trimming = trimWhatIsSettled(process.adapter, [...this.#names.keys()], (id) => acknowledged.has(id));
    await Promise.race([trimming.catch(() => {}), process.died]);
  }

  /** Nobody damages anything here, so nobody may claim that. */
  #checkDamage(): void {
    for (const process of this.#processes) {
      if (!process?.isAlive || !process.engine) continue;
      const { adapter } = process.engine.health();
      if (adapter.status === 'read-only') this.#violations.push(`C2 ${process.name} claims damage: ${adapter.reason}`);
    }
  }

  /** The operator: whoever failed is restarted. */
  #watchFailures(): void {
    this.#checkDamage();
    for (const process of this.#processes) {
      if (!process?.isAlive || process.engine?.health().status !== 'failed') continue;
      this.#note(`restart ${process.name} after failure`);
      this.#end(process);
    }
    this.#time.after(100, () => this.#watchFailures());
  }

  /** What still has to happen, in words; empty when nothing. */
  async #whatIsOpen(): Promise<string> {
    const open: string[] = [];
    const { store, state } = this.#processes[0]!.adapter;
    const telling = await this.#time.run(state.load('schedule', { prefix: 'dead-letter/', limit: 1 }));
    if (telling.entries.length > 0) open.push('a dead letter is not told');
    const later = await this.#time.run(state.load('schedule-due', { limit: 1 }));
    if (later.entries.length > 0) open.push('an event waits for its time');
    const head = (await this.#time.run(store.bounds()))[0]!.head;
    for (const [id, name] of this.#names) {
      const server = this.#processes.find((process) => process?.engine?.isServing(id));
      if (!server) open.push(`${name} is not served`);
      else if (server.engine!.health().head < head) open.push(`${server.name} has not routed everything`);
      else if (!server.engine!.isSettled(id)) open.push(`${name} is not settled at ${server.name}`);
    }
    return open.join('; ');
  }
}
