import { isEventManagerError, type Runtime } from '@event-manager/core/portable';
import { askService, type ServiceAnswer } from '../../service/ask-service.ts';
import type { Finding } from './check.ts';

const ANSWER_MS = 2_000;

export interface ServiceCheck {
  readonly findings: readonly Finding[];
  /** What `GET /health` said; absent when nobody answered, or something else than a service. */
  readonly answer?: ServiceAnswer;
}

interface Health {
  readonly status?: string;
  readonly phase?: string;
  readonly reason?: string;
  readonly durability?: string;
  readonly subscriptions?: number;
  readonly warnings?: readonly string[];
}

export async function checkService(url: string, runtime: Runtime): Promise<ServiceCheck> {
  try {
    const answer = await askService({ url, path: '/health', timeoutMs: ANSWER_MS, runtime });
    const ready = await askService({ url, path: '/readyz', timeoutMs: ANSWER_MS, runtime });
    const isService = (answer.body as Health | undefined)?.status !== undefined;
    return { findings: judge(url, answer, ready), ...(isService ? { answer } : {}) };
  } catch (error) {
    if (!isEventManagerError(error)) throw error;
    const advice = 'Start it with event-manager serve, or say where it is by --url or EVENT_MANAGER_URL.';
    return { findings: [{ check: 'service', status: 'warning', detail: `nobody answers at ${url}`, advice }] };
  }
}

function judge(url: string, answer: ServiceAnswer, ready: ServiceAnswer): readonly Finding[] {
  const health = (answer.body ?? {}) as Health;
  if (health.status === undefined) {
    const detail = `something else answers at ${url} (HTTP ${answer.status})`;
    return [{ check: 'service', status: 'failed', detail, advice: 'Choose another port, or another --url.' }];
  }
  const { status, phase, durability, subscriptions, warnings = [] } = health;
  const isWell = ready.status === 200 && status === 'ok';
  const facts = `${url} is ${phase}, ${status}; durability ${durability}, ${subscriptions} subscriptions`;
  const why = (ready.body as { detail?: string } | undefined)?.detail ?? health.reason ?? 'see GET /health';
  const first: Finding = isWell
    ? { check: 'service', status: 'ok', detail: facts }
    : { check: 'service', status: ready.status === 200 ? 'warning' : 'failed', detail: facts, advice: why };
  return [first, ...warnings.map((detail): Finding => ({ check: 'service', status: 'warning', detail }))];
}
