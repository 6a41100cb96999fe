import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

const VOLUME = '96m';
const BALLAST_BYTES = 40 * 1024 * 1024;
const ROUNDS = 3;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: { readonly id?: string; readonly code?: string };
}

/** If a full disk stopped the service for good, or cost an acknowledged event, space would have to be watched more than the bus. */
it('answers 503 with Retry-After while the disk is full, goes on when there is space, and keeps what it acknowledged', {
  timeout: 180_000,
}, async (context) => {
  const mountPoint = mountSmallDisk(context);
  const ballast = join(mountPoint, 'ballast');
  const service = await ServiceProcess.start({ dataDir: join(mountPoint, 'data'), port: 0 });
  onTestFinished(() => service.stop().then(() => {}));
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
    const refused = await publishUntil(service.url, acknowledged, (answer) => answer.status === 503);
    expect(refused).toMatchObject({ status: 503, body: { code: 'disk_full' } });
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(await healthStatus(service.url)).toBe('degraded');
    rmSync(ballast);
    const resumes = async () => (await publish(service.url, acknowledged)).status === 201;
    await until('publishing resumes', 10_000, resumes);
    // What was written while it was nearly full stays; the next round needs its ballast to fit beside it.
    if (round < ROUNDS - 1) execFileSync('mount', ['-o', `remount,size=${96 + 60 * (round + 1)}m`, mountPoint]);
  }
  for (const id of acknowledged) {
    const response = await fetch(`${service.url}/events/${id}`);
    expect(response.status, id).toBe(200);
    await response.arrayBuffer();
  }
  process.stdout.write(
    `${JSON.stringify({ test: 'disk-full', rounds: ROUNDS, acknowledged: acknowledged.length, lost: 0 })}\n`,
  );
});

function mountSmallDisk(context: TestContext): string {
  const mountPoint = join(temporaryDirectory(), 'small');
  mkdirSync(mountPoint);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${VOLUME}`, 'tmpfs', mountPoint], { stdio: 'ignore' });
  } catch {
    const reason = 'mounting a small file system needs root';
    if (process.env['CI']) expect.fail(`The test of a full disk must run in CI: ${reason}.`);
    context.skip(reason);
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', mountPoint]);
  });
  return mountPoint;
}

async function publishUntil(url: string, acknowledged: string[], ends: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await publish(url, acknowledged);
    if (ends(answer)) return answer;
    expect(answer.status).toBe(201);
  }
}

async function publish(url: string, acknowledged: string[]): Promise<Answer> {
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'disk.filled', source: 'test', payload: { text: 'x'.repeat(200_000) } }),
  });
  const body = (await response.json()) as Answer['body'];
  if (response.status === 201) acknowledged.push(body.id!);
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
}

async function healthStatus(url: string): Promise<string> {
  const response = await fetch(`${url}/health`);
  return ((await response.json()) as { status: string }).status;
}
