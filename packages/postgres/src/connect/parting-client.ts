import { type Runtime, systemRuntime } from '@event-manager/core';
import { Client, type ClientConfig } from 'pg';
import type { Hosts } from './hosts.ts';

/** A goodbye takes one way to the server and back. */
const GOODBYE_MS_MAX = 2_000;

export interface PartingConfig extends ClientConfig {
  readonly hosts?: Hosts;
  readonly runtime?: Runtime;
}

/**
 * The driver's client, whose end comes within a bound. By itself it says goodbye and waits until the other side has closed as
 * well; over a network that swallows everything that is never, and each such connection would stay open until this process ends.
 */
export class PartingClient extends Client {
  readonly #runtime: Runtime;

  /** Connects to the host whose turn it is. */
  constructor({ hosts, runtime = systemRuntime, ...config }: PartingConfig = {}) {
    super(hosts === undefined ? config : { ...config, connectionString: hosts.url });
    this.#runtime = runtime;
    // What a connection fails by is told by the statement that is on it; without one there is nobody to tell.
    this.on('error', () => {});
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const { stream } = this.connection;
    if (!stream.destroyed) {
      const cancel = this.#runtime.timers.after(GOODBYE_MS_MAX, () => stream.destroy(), true);
      stream.once('close', cancel);
    }
    return callback === undefined ? super.end() : super.end(callback);
  }
}
