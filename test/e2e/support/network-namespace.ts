import { execFileSync } from 'node:child_process';

/**
 * A network of its own, joined to this machine by one wire that can be cut: then packets vanish in both directions and nobody
 * is told, as behind a router that lost its power.
 */
export class NetworkNamespace {
  readonly name: string;
  /** Address of this machine, as seen from there. */
  readonly hostAddress: string;
  readonly #outer: string;
  readonly #inner: string;

  constructor() {
    const number = process.pid % 250;
    this.name = `em-test-${process.pid}`;
    this.#outer = `emo${process.pid}`;
    this.#inner = `emi${process.pid}`;
    this.hostAddress = `10.213.${number}.1`;
    run('netns', 'add', this.name);
    run('link', 'add', this.#outer, 'type', 'veth', 'peer', 'name', this.#inner);
    run('link', 'set', this.#inner, 'netns', this.name);
    run('address', 'add', `${this.hostAddress}/24`, 'dev', this.#outer);
    run('link', 'set', this.#outer, 'up');
    run('-n', this.name, 'address', 'add', `10.213.${number}.2/24`, 'dev', this.#inner);
    run('-n', this.name, 'link', 'set', this.#inner, 'up');
  }

  cutWire(): void {
    run('-n', this.name, 'link', 'set', this.#inner, 'down');
  }

  /** The wire goes with it. */
  remove(): void {
    run('netns', 'delete', this.name);
  }
}

/** Why this machine cannot do it; `undefined` when it can. */
export function whyNoNetworkNamespace(): string | undefined {
  if (process.getuid?.() !== 0) return 'a network namespace needs root';
  const name = `em-try-${process.pid}`;
  try {
    run('netns', 'add', name);
    run('netns', 'delete', name);
    return undefined;
  } catch (error) {
    return `ip netns does not work here: ${String(error).split('\n')[0]}`;
  }
}

function run(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
