export { type DatabaseFacts, examineDatabase } from './examine-database.ts';
export { type PostgresOptions, postgres } from './postgres.ts';
