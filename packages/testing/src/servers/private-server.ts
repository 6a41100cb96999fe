/** How a server is ended. `immediately` is what a crash of the server alone leaves: nothing is flushed or said goodbye. */
export type Ending = 'orderly' | 'immediately' | 'killed';

/** A real server that belongs to whoever started it. The url stays the same over every end and start. */
export interface PrivateServer {
  readonly url: string;
  /** What it runs from: its data and what it printed. */
  readonly folder: string;
  /** Absent while it does not run, and in a container. */
  readonly pid: number | undefined;
  /** Starts it again on its data; resolves when it answers. */
  start(): Promise<void>;
  /** Resolves when it is gone. Does nothing when it does not run. */
  stop(ending?: Ending): Promise<void>;
  /** For signals that do not end it, such as SIGHUP, and SIGSTOP with SIGCONT for one that hangs. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Ends it and removes everything it had. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PrivateServerOptions {
  /** The folder in which it gets its own. `memoryFolder` when absent: name a disk to measure one. */
  readonly parent?: string;
  /** Settings of the server by their own names, for example `{ max_connections: '5' }` or `{ appendfsync: 'always' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a private server runs as: a process or a container. */
export interface Startable {
  readonly pid: number | undefined;
  start(): Promise<void>;
  end(signal: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): Promise<void>;
  /** After it ended: whatever of it is not in its folder. */
  remove(): Promise<void>;
}
