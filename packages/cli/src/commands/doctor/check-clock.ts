import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceAnswer } from '../../service/ask-service.ts';
import type { Finding, Patient } from './check.ts';

/** The date of an HTTP answer has whole seconds, and the answer took a moment. */
const SKEW_MAX_MS = 5_000;
const ADVICE = 'Set the clock (NTP): times of events, expiry and signatures of webhooks depend on it.';

/** There is no clock to ask but those nearby: the service's, and what was written before. */
export async function checkClock({ configuration, runtime }: Patient, answer?: ServiceAnswer): Promise<Finding> {
  const nowMs = runtime.clock.wallMs();
  const servedMs = Date.parse(answer?.headers.get('date') ?? '');
  if (Math.abs(servedMs - nowMs) > SKEW_MAX_MS) {
    const seconds = Math.round((servedMs - nowMs) / 1_000);
    return { check: 'clock', status: 'warning', detail: `the service's clock differs by ${seconds} s`, advice: ADVICE };
  }
  const writtenMs = configuration.adapter === 'journal' ? await lastWriteMs(configuration.dataDir) : 0;
  if (writtenMs > nowMs + SKEW_MAX_MS) {
    const detail = `the clock is behind what was written at ${new Date(writtenMs).toISOString()}`;
    return { check: 'clock', status: 'warning', detail, advice: ADVICE };
  }
  return { check: 'clock', status: 'ok', detail: new Date(nowMs).toISOString() };
}

async function lastWriteMs(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const times = names.map(async (name) => (await stat(join(directory, name)).catch(() => undefined))?.mtimeMs ?? 0);
  return Math.max(0, ...(await Promise.all(times)));
}
