import type { FlowFields, ObservedCall } from '../component-events.ts';
import { capture } from '../sanitize/capture.ts';
import type { EventSystem } from '../system/event-system.ts';
import { errorFacts } from './error-facts.ts';
import { enterScope, flowOf, type Scope } from './flow.ts';

type Facts = Readonly<Record<string, unknown>>;

/**
 * One call of a component: started, and then completed or failed, whichever is told first. `completed` and `failed` follow from
 * `started`, and so does everything that the component emits or calls. Nothing here throws once it was made.
 */
export class ComponentRun {
  readonly #system: EventSystem;
  readonly #call: ObservedCall;
  readonly #startedAtMs: number;
  readonly #scope: Scope;
  #isOver = false;

  constructor(system: EventSystem, call: ObservedCall, given: readonly unknown[]) {
    this.#system = system;
    this.#call = call;
    const outer = flowOf(call.fields);
    const id = this.#emit('started', system.includesUserData ? { input: capture(given) } : {}, outer);
    // Where `started` is not told, what follows belongs to what is around it, and is one flow all the same.
    const causationId = id ?? outer.causationId;
    this.#scope = {
      correlationId: outer.correlationId ?? id ?? system.drawId(),
      ...(causationId === undefined ? {} : { causationId }),
    };
    this.#tell('running', { given: given.map(kindOf) });
    this.#startedAtMs = system.runtime.clock.monotonicMs();
  }

  /** Runs a part of the component: what it emits and calls belongs to it. */
  enter<T>(part: () => T): T {
    return enterScope(this.#scope, part);
  }

  completed(result: unknown, facts: Facts = {}): void {
    this.#end('completed', () => {
      const output = this.#system.includesUserData && result !== undefined ? { output: capture(result) } : {};
      return [{ ...facts, ...output }, { result: kindOf(result) }];
    });
  }

  failed(error: unknown, facts: Facts = {}): void {
    this.#end('failed', () => {
      const { stack, ...told } = errorFacts(error);
      return [{ ...facts, error: capture(told) }, stack === undefined ? {} : { stack: capture(stack) }];
    });
  }

  #end(state: 'completed' | 'failed', facts: () => readonly [told: Facts, debug: Facts]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      const durationMs = Math.round((this.#system.runtime.clock.monotonicMs() - this.#startedAtMs) * 1_000) / 1_000;
      const [told, debug] = facts();
      this.#emit(state, { durationMs, ...told });
      this.#tell(state, debug);
    } catch {
      // A result or an error that cannot even be looked at, such as a revoked proxy.
      this.#emit(state, {});
    }
  }

  /** The events of the two classes that are off by default. */
  #tell(state: string, debug: Facts): void {
    const from = state === 'running' ? 'idle' : 'running';
    this.#emit('state', { from, to: state });
    this.#emit('debug', { state, ...debug });
  }

  #emit(what: string, facts: Facts, flow: FlowFields = this.#scope): string | undefined {
    const { kind, name, fields } = this.#call;
    const type = `${kind}.${what}`;
    if (!this.#system.wants(type)) return undefined;
    return this.#system.accept({ type, data: { name, ...facts }, fields, flow });
  }
}

/** What a value is, and never what is in it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `string of ${value.length} characters`;
  return Array.isArray(value) ? `array of ${value.length}` : typeof value;
}
