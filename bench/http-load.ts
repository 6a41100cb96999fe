import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

export interface HttpLoad {
  readonly url: string;
  readonly connections: number;
  /** A file with the body of every request. */
  readonly bodyFile: string;
  /** For so long, … */
  readonly seconds: number;
  /** … or so many requests. */
  readonly requests?: number | undefined;
}

export interface HttpLoadResult {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** What autocannon prints, as far as it is used here. */
interface Report {
  readonly duration: number;
  readonly '2xx': number;
  readonly non2xx: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly latency: { readonly p50: number; readonly p99: number };
}

const autocannon = createRequire(import.meta.url).resolve('autocannon');

/** A closed loop of POST requests from a process of its own. Throws when any request was not answered with 2xx. */
export async function httpLoad(load: HttpLoad): Promise<HttpLoadResult> {
  const { url, connections, bodyFile, seconds, requests } = load;
  const args = [
    '-j',
    '-n',
    '-m',
    'POST',
    '-H',
    'content-type=application/json',
    '-c',
    `${connections}`,
    '-i',
    bodyFile,
  ];
  args.push(...(requests === undefined ? ['-d', `${seconds}`] : ['-a', `${requests}`]), url);
  const child = spawn(process.execPath, [autocannon, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const report = JSON.parse(printed) as Report;
  const failed = report.non2xx + report.errors + report.timeouts;
  if (failed > 0 || report['2xx'] === 0) throw new Error(`${failed} requests failed, ${report['2xx']} were answered.`);
  const { p50, p99 } = report.latency;
  return { requestsPerSecond: report['2xx'] / report.duration, p50, p99 };
}
