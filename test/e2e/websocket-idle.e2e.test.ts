import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { linesOf } from './support/lines-of.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

/** `SOCKETS=10000 HOLD_MS=600000` holds more of them, longer. */
const SOCKETS = Number(process.env['SOCKETS'] ?? 2_000);
const HOLD_MS = Number(process.env['HOLD_MS'] ?? 60_000);
const KIB_PER_SOCKET_MAX = 25;
const PUBLISHES = 500;
const TICKS_PER_SECOND = 100;
const PROGRAM = fileURLToPath(new URL('./support/web-sockets.ts', import.meta.url));

it(`holds ${SOCKETS} idle WebSockets for ${HOLD_MS / 1_000} s`, { timeout: 180_000 + 2 * HOLD_MS }, async () => {
  const environment = { EVENT_MANAGER_WS_CONNECTIONS_MAX: '100000', EVENT_MANAGER_CONNECTIONS_MAX: '100000' };
  const service = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const pid = service.pid;
  // What is loaded and compiled for the first of them is not theirs. Times are told and not judged: the machine has other work.
  const first = await hold(service.url, 50);
  await publishMs(service.url);
  const alone = p99(await publishMs(service.url));
  const before = await settledUsage(pid);

  const lines = await hold(service.url, SOCKETS);
  const opened = usage(pid);
  await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
  const held = usage(pid);
  const beside = p99(await publishMs(service.url));

  // The larger of two: what the handshakes left behind is in the first, what came with time in the second.
  const residentKib = Math.max(opened.residentKib, held.residentKib) - before.residentKib;
  const kibPerSocket = residentKib / SOCKETS;
  const cpuPercent = (100 * (held.cpuSeconds - opened.cpuSeconds)) / (HOLD_MS / 1_000);
  const report = { kibPerSocket, cpuPercent, publishP99Ms: { alone, beside } };
  process.stdout.write(`${JSON.stringify({ test: 'websocket-idle', sockets: SOCKETS, holdMs: HOLD_MS, ...report })}\n`);
  expect([...first, ...lines].filter(({ dropped }) => dropped !== undefined)).toEqual([]);
  expect(kibPerSocket).toBeLessThanOrEqual(KIB_PER_SOCKET_MAX);
});

/** Opens them from a process of their own, which does nothing else. */
async function hold(url: string, count: number): Promise<Record<string, unknown>[]> {
  const child = spawn(process.execPath, ['--conditions=source', PROGRAM, url, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = linesOf(child);
  await until(`${count} sockets are open`, 60_000, () => lines.some(({ open }) => open === count));
  return lines;
}

/** When the process has given back what it does not need any more: its memory stays the same for some seconds. */
async function settledUsage(pid: number): Promise<Usage> {
  let last = usage(pid);
  for (let same = 0, looks = 0; same < 5 && looks < 40; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = usage(pid);
    same = Math.abs(now.residentKib - last.residentKib) < 64 ? same + 1 : 0;
    last = now;
  }
  return last;
}

async function publishMs(url: string): Promise<number[]> {
  const body = JSON.stringify({ type: 'order.created', source: 'shop', payload: { total: 12.5 } });
  const took: number[] = [];
  for (let count = 0; count < PUBLISHES; count++) {
    const startMs = performance.now();
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/events`, { method: 'POST', headers, body });
    await answer.text();
    expect(answer.status).toBe(201);
    took.push(performance.now() - startMs);
  }
  return took;
}

function p99(took: readonly number[]): number {
  return [...took].sort((a, b) => a - b)[Math.floor(took.length * 0.99)]!;
}

interface Usage {
  readonly residentKib: number;
  readonly cpuSeconds: number;
}

/** What the kernel says of a process: resident memory, and processor time in all. */
function usage(pid: number): Usage {
  const residentKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
  return { residentKib, cpuSeconds: (Number(user) + Number(system)) / TICKS_PER_SECOND };
}
