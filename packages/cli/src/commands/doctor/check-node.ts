import type { Finding } from './check.ts';

const NODE_MIN = 24;

export function checkNode(version: string): Finding {
  const isNewEnough = Number.parseInt(version, 10) >= NODE_MIN;
  if (isNewEnough) return { check: 'node', status: 'ok', detail: `Node ${version}` };
  const advice = `Install Node ${NODE_MIN} or newer.`;
  return { check: 'node', status: 'failed', detail: `Node ${version} is too old`, advice };
}
