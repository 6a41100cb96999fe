export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  /** Of what it followed from, the nearest first. */
  readonly causes?: readonly string[];
  readonly stack?: string;
}

const CAUSES_MAX = 3;

/** What can be said of whatever was thrown. Secrets are taken out later, with those of everything else. */
export function errorFacts(error: unknown): ErrorFacts {
  if (!isErrorLike(error)) return { name: typeof error, message: plain(error) };
  const { name, message, code, stack } = error;
  const causes = causesOf(error);
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: plain(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(causes.length > 0 ? { causes } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
  };
}

function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let cause = (error as { cause?: unknown }).cause;
  while (cause !== undefined && cause !== null && causes.length < CAUSES_MAX) {
    causes.push(plain(isErrorLike(cause) ? cause.message : cause));
    cause = isErrorLike(cause) ? (cause as { cause?: unknown }).cause : undefined;
  }
  return causes;
}

interface ErrorLike {
  readonly name: unknown;
  readonly message: unknown;
  readonly code?: unknown;
  readonly stack?: unknown;
}

/** Errors of another realm are no instances of ours. */
function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null && 'message' in value;
}

function plain(value: unknown): string {
  return typeof value === 'object' ? '' : String(value);
}
