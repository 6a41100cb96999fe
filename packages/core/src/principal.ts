/** On whose behalf an operation runs. Every operation takes one; until authentication exists it is `ANONYMOUS`. */
export interface Principal {
  /** Stable name of the caller, as it appears in audit records. */
  readonly id: string;
  readonly kind: 'anonymous' | 'service' | 'user' | 'system';
}

export const ANONYMOUS: Principal = Object.freeze({ id: 'anonymous', kind: 'anonymous' });

/** The bus itself: the only principal that may publish under `$sys`. */
export const SYSTEM: Principal = Object.freeze({ id: '$sys', kind: 'system' });
