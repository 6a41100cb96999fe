export const REFUSALS = {
  invalid_input: 400,
  unknown_user: 401,
  not_permitted: 403,
  task_not_found: 404,
  task_exists: 409,
  dependency_cycle: 409,
  dependency_open: 409,
  not_stored: 503,
} as const;

/** Why a command was not carried out; nothing changed. */
export class TaskRefused extends Error {
  override readonly name = 'TaskRefused';
  readonly code: keyof typeof REFUSALS;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: keyof typeof REFUSALS, words: string, details: Readonly<Record<string, unknown>> = {}) {
    super(words);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return REFUSALS[this.code];
  }
}
