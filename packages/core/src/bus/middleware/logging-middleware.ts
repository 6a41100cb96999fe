import type { EventPriority, PriorityName } from '../../event/priority.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import { type BusPublishResult, isFiltered } from '../bus-publish-result.ts';
import type { Middleware, PayloadIn } from './middleware.ts';

/** What is logged of one event. Its payload only where that was asked for: logs are read by others than events. */
export interface LoggedEvent {
  /** When it was logged, RFC 3339. */
  readonly time: string;
  readonly event: string;
  readonly type: string;
  readonly topic: string;
  readonly source: string;
  readonly priority?: EventPriority | PriorityName | undefined;
  readonly correlationId?: string | undefined;
  readonly outcome: 'stored' | 'duplicate' | 'filtered' | 'refused';
  /** Who kept it back. */
  readonly by?: string | undefined;
  /** Why it was refused. */
  readonly code?: string | undefined;
  readonly durationMs: number;
  readonly payload?: PayloadIn | undefined;
}

export interface LoggingOptions {
  /** Default: one line of JSON on the standard error. */
  readonly log?: ((entry: LoggedEvent) => void) | undefined;
  /** Default: false. */
  readonly payload?: boolean | undefined;
}

const OPTIONS = ['log', 'payload'] satisfies (keyof LoggingOptions)[];

/** Logs each event when it is known what became of it. Put first it sees everything, also what others keep back. */
export function createLoggingMiddleware(options: LoggingOptions = {}): Middleware {
  refuseUnknownOptions(options, OPTIONS, 'createLoggingMiddleware');
  const { log = toStandardError, payload: isPayloadShown = false } = options;
  return async function logging(
    { id, type, topic = type, source, priority, correlationId, payload },
    next,
    { runtime },
  ) {
    const { clock } = runtime;
    const startedMs = clock.monotonicMs();
    const entry = (ended: Pick<LoggedEvent, 'outcome' | 'by' | 'code'>): LoggedEvent => ({
      time: new Date(clock.wallMs()).toISOString(),
      event: id,
      type,
      topic,
      source,
      priority,
      correlationId,
      ...ended,
      durationMs: clock.monotonicMs() - startedMs,
      ...(isPayloadShown ? { payload } : {}),
    });
    let result: BusPublishResult;
    try {
      result = await next();
    } catch (error) {
      log(entry({ outcome: 'refused', code: codeOf(error) }));
      throw error;
    }
    // Behind the catch: an event is not refused because its log could not be written.
    if (isFiltered(result)) log(entry({ outcome: 'filtered', by: result.by }));
    else log(entry({ outcome: result.duplicate ? 'duplicate' : 'stored' }));
  };
}

/** The same without options, to be given to `use` as it is. */
export const loggingMiddleware: Middleware = /* @__PURE__ */ createLoggingMiddleware();

function toStandardError(entry: LoggedEvent): void {
  process.stderr.write(`${JSON.stringify(entry)}\n`);
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'internal';
}
