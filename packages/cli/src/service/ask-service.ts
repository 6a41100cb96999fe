import { ERROR_CODES, type ErrorCode, EventManagerError, type Runtime } from '@event-manager/core/portable';

export interface Question {
  readonly url: string;
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly body?: object;
  readonly timeoutMs: number;
  readonly runtime: Runtime;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer; `undefined` when it is none. */
  readonly body: unknown;
}

/** One request without repetition: for what has to be quick, and what the client has no member for. Throws `unreachable`. */
export async function askService(question: Question): Promise<ServiceAnswer> {
  const { url, path, method = 'GET', body, timeoutMs, runtime } = question;
  const ending = new AbortController();
  const cancel = runtime.timers.after(timeoutMs, () => ending.abort(), true);
  try {
    const accept = 'application/json, application/problem+json';
    const headers = { accept, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { method, headers, ...sent, signal: ending.signal });
    return { status: response.status, headers: response.headers, body: parse(await response.text()) };
  } catch (error) {
    const reason = ending.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
    const words = `There is no service at ${url} (${reason}); start it with event-manager serve, or name another by --url.`;
    throw new EventManagerError('unreachable', words, {}, error);
  } finally {
    cancel();
  }
}

/** The body of a good answer; otherwise throws what the service says. */
export function bodyOf({ status, body }: ServiceAnswer): unknown {
  if (status < 400) return body;
  const { code, detail, pointer, requestId } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const words = typeof detail === 'string' ? detail : `The service answered ${status}.`;
  const isKnown = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
  throw new EventManagerError(isKnown ? (code as ErrorCode) : 'internal', words, {
    ...(typeof pointer === 'string' ? { pointer } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` hides what happened in a cause, and that of several addresses in a list. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; errors?: { code?: string }[] } };
  return cause?.code ?? cause?.errors?.[0]?.code ?? (error instanceof Error ? error.message : String(error));
}
