import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { ServiceProcess } from '../../examples/github-demo/service-process.ts';
import { linesOf } from './support/lines-of.ts';
import { NetworkNamespace, whyNoNetworkNamespace } from './support/network-namespace.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { until } from './support/until.ts';

const PEERS = 5;
/** Long enough for peers on a busy machine to answer in. */
const HEARTBEAT_MS = 4_000;
const PROGRAM = fileURLToPath(new URL('./support/web-sockets.ts', import.meta.url));

it('finds peers that are gone without a goodbye, and frees what they held', { timeout: 150_000 }, async (context) => {
  skipUnlessPossible(context);
  const network = new NetworkNamespace();
  onTestFinished(() => network.remove());
  const environment = {
    EVENT_MANAGER_HOST: network.hostAddress,
    EVENT_MANAGER_ALLOW_UNAUTHENTICATED: 'true',
    EVENT_MANAGER_WS_HEARTBEAT_MS: String(HEARTBEAT_MS),
  };
  const service = await ServiceProcess.start({ dataDir: temporaryDirectory(), port: 0, environment });
  onTestFinished(async () => void (await service.stop('SIGKILL')));
  const frames = ['{"type":"stream","ref":1}', '{"type":"subscribe","ref":2,"subscription":{"topic":"#"}}'];
  const program = ['--conditions=source', PROGRAM, service.url, String(PEERS), ...frames];
  const peers = spawn('ip', ['netns', 'exec', network.name, process.execPath, ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void peers.kill('SIGKILL'));
  const lines = linesOf(peers);
  await until('the peers are there', 30_000, () => lines.some(({ open }) => open === PEERS));
  const look = async (path: string) => (await (await fetch(`${service.url}${path}`)).json()) as Held;
  const held = async () => ({
    streams: (await look('/health')).streams,
    subscriptions: (await look('/subscriptions')).data.length,
  });
  expect(await held()).toEqual({ streams: PEERS, subscriptions: PEERS });
  // As long as they answer pings they stay, however silent they are.
  await new Promise((resolve) => setTimeout(resolve, 3 * HEARTBEAT_MS));
  expect(await held()).toEqual({ streams: PEERS, subscriptions: PEERS });

  const cutAtMs = performance.now();
  network.cutWire();
  peers.kill('SIGKILL');
  // With the heartbeat of 30 s that is the default these are 60 s.
  await until('all of them are forgotten', 60_000, async () => {
    const { streams, subscriptions } = await held();
    return streams === 0 && subscriptions === 0;
  });
  const heartbeats = (performance.now() - cutAtMs) / HEARTBEAT_MS;
  process.stdout.write(`${JSON.stringify({ test: 'websocket-half-open', peers: PEERS, heartbeats })}\n`);
});

interface Held {
  readonly streams: number;
  readonly data: readonly unknown[];
}

function skipUnlessPossible(context: TestContext): void {
  const reason = whyNoNetworkNamespace();
  if (reason === undefined) return;
  if (process.env['CI']) expect.fail(`The test of half-open peers must run in CI: ${reason}.`);
  context.skip(reason);
}
