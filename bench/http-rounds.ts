import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBareHttp } from './bare-http.ts';
import { type Bench, sized } from './benchmark.ts';
import { type HttpLoadResult, httpLoad } from './http-load.ts';
import { alternate, type Compared } from './rounds.ts';
import { startServiceUnderTest } from './service-under-test.ts';
import { median } from './statistics.ts';

export interface HttpRounds {
  readonly path: string;
  readonly connections: number;
  /** The body of every request. */
  readonly body: unknown;
}

/** The service and the bare server under the same load in turn; rates are requests per second. */
export async function httpRounds(
  bench: Bench,
  { path, connections, body }: HttpRounds,
): Promise<Compared & { readonly p50: number; readonly p99: number }> {
  const bodyFile = join(bench.folder, 'body.json');
  await writeFile(bodyFile, JSON.stringify(body));
  const service = await startServiceUnderTest(join(bench.folder, 'data'));
  const bare = await startBareHttp(bench.folder);
  const results: HttpLoadResult[] = [];
  const run = (url: string) =>
    httpLoad({
      url: `${url}${path}`,
      connections,
      bodyFile,
      seconds: sized(bench, { full: 8, quick: 1, smoke: 1 }),
      requests: bench.scale === 'smoke' ? connections * 2 : undefined,
    });
  try {
    const compared = await alternate(
      bench,
      async () => {
        const result = await run(service.url);
        results.push(result);
        return result.requestsPerSecond;
      },
      async () => (await run(bare.url)).requestsPerSecond,
    );
    const measured = results.slice(1);
    const p50 = median(measured.map((result) => result.p50));
    return { ...compared, p50, p99: median(measured.map((result) => result.p99)) };
  } finally {
    await Promise.all([service.stop(), bare.stop()]);
  }
}
