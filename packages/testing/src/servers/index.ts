export { SERVER_KINDS, type ServerKind } from './find-server.ts';
export { memoryFolder } from './memory-folder.ts';
export { missingServer, type Skippable, skipWithout } from './missing-server.ts';
export type { Ending, PrivateServer, PrivateServerOptions } from './private-server.ts';
export { openRun, type ServerRun, type SharedServer, sharedServer } from './run-servers.ts';
export { ServerError } from './server-error.ts';
export { startPostgres } from './start-postgres.ts';
export { createTestDatabase, databaseUrl, type TestDatabase, type TestDatabaseOptions } from './test-database.ts';
