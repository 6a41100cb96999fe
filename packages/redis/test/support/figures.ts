const IS_FULL = process.env['REDIS_FAULTS'] === 'full';

/** How much of a fault `npm test` sees, and how much with `REDIS_FAULTS=full`, as `npm run soak` asks for. */
export const ROUNDS = Number(process.env['REDIS_FAULT_ROUNDS'] ?? (IS_FULL ? 20 : 2));
export const PENDING = IS_FULL ? 10_000 : 1_000;
export const FAULT_MS = IS_FULL ? 30_000 : 1_000;
