import type { ServerKind } from './find-server.ts';
import { sharedServer } from './run-servers.ts';

/** What can skip a test: the context that vitest gives to tests and to `beforeEach`. */
export interface Skippable {
  skip(reason: string): unknown;
}

/** Why the run has no server of this kind; `undefined` when it has one, which is started by this if it was not. */
export async function missingServer(kind: ServerKind): Promise<string | undefined> {
  const server = await sharedServer(kind);
  return 'missing' in server ? server.missing : undefined;
}

/** Skips the test with the reason where the server is missing; with `CI` set it fails instead. */
export async function skipWithout(kind: ServerKind, context: Skippable): Promise<void> {
  const reason = await missingServer(kind);
  if (reason !== undefined) context.skip(reason);
}
