import type { Ending, PrivateServer, Startable } from './private-server.ts';
import type { ServerFolder } from './server-folder.ts';

export interface PrivateParts {
  readonly url: string;
  readonly folder: ServerFolder;
  readonly server: Startable;
  /** The signal that ends this kind of server in each way. */
  readonly signals: Readonly<Record<Ending, NodeJS.Signals>>;
}

/** Starts what was prepared. When that fails nothing is left behind. */
export async function startPrivate({ url, folder, server, signals }: PrivateParts): Promise<PrivateServer> {
  const close = async () => {
    await server.end(signals.immediately);
    await server.remove();
    await folder.remove();
  };
  try {
    await server.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    folder: folder.path,
    get pid() {
      return server.pid;
    },
    start: () => server.start(),
    stop: (ending = 'orderly') => server.end(signals[ending]),
    signal: (signal) => server.signal(signal),
    close,
    [Symbol.asyncDispose]: close,
  };
}
