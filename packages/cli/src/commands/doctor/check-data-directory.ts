import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isInUse } from '@event-manager/journal/commands';
import type { Finding, Patient } from './check.ts';

const MIB = 1024 * 1024;
/** Below the first the next full disk is near, below the second the service may refuse events today. */
const ROOMY_BYTES = 1024 * MIB;
const TIGHT_BYTES = 64 * MIB;

type Verdict = Omit<Finding, 'check'>;

export async function checkDataDirectory({ configuration, isServing }: Patient): Promise<Finding[]> {
  const { adapter, dataDir } = configuration;
  if (adapter === 'memory') {
    const detail = 'none: events are kept in memory and gone when the service stops';
    return [{ check: 'data directory', status: 'warning', detail, advice: 'Use the adapter journal to keep them.' }];
  }
  if (adapter === 'postgres' || adapter === 'redis') return [];
  const place = await nearest(dataDir);
  const verdicts = [await permission(dataDir, place), await space(place)];
  if (place === dataDir && verdicts[0]?.status === 'ok') verdicts.push(await use(dataDir, isServing));
  return verdicts.map((verdict) => ({ check: 'data directory', ...verdict }));
}

/** The directory, or the part of its path that exists. */
async function nearest(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined || dirname(path) === path ? path : nearest(dirname(path));
}

async function permission(dataDir: string, place: string): Promise<Verdict> {
  const advice = 'Give this user the right to write there, or choose another by --data-dir or EVENT_MANAGER_DATA_DIR.';
  if (!(await stat(place)).isDirectory()) return { status: 'failed', detail: `${place} is a file`, advice };
  try {
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const detail = `${place} may not be used (${(error as NodeJS.ErrnoException).code})`;
    return { status: 'failed', detail, advice };
  }
  return { status: 'ok', detail: place === dataDir ? dataDir : `${dataDir} will be made in ${place}` };
}

async function space(place: string): Promise<Verdict> {
  const { bavail, bsize, type: _type } = await statfs(place);
  const freeBytes = bavail * bsize;
  const detail = `${Math.floor(freeBytes / MIB).toLocaleString('en-US')} MiB free`;
  if (freeBytes >= ROOMY_BYTES) return { status: 'ok', detail };
  const advice = 'Make space: a full disk refuses events until there is some.';
  return { status: freeBytes < TIGHT_BYTES ? 'failed' : 'warning', detail, advice };
}

async function use(dataDir: string, isServing: boolean): Promise<Verdict> {
  if (!(await isInUse(dataDir))) return { status: 'ok', detail: 'no process has it open' };
  if (isServing) return { status: 'ok', detail: 'the running service has it open' };
  const advice = 'If that is not your service, find the process (lsof), or use another directory.';
  return { status: 'warning', detail: 'a process has it open, and no service answers', advice };
}
