// A program whose components emit, told by a JSON argument what to do. Its own words go to the standard error.
import { ComponentRegistry, type EventsConfig } from '@event-manager/components';
import { secretSamples } from '../sanitize/secret-samples.ts';

interface Orders {
  readonly config: EventsConfig;
  readonly how: 'samples' | 'events' | 'wait' | 'flood' | 'exit';
  readonly events?: number;
  /** Takes SIGTERM itself too. */
  readonly takesSignal?: boolean;
}

const { config, how, events = 10, takesSignal } = JSON.parse(process.argv[2]!) as Orders;
const SAMPLES_AT_ONCE = 100;
const told: string[] = [];
const registry = await ComponentRegistry.configured({
  config: { enabled: true, statsIntervalMs: 0, ...config },
  environment: {},
  closeOn: how === 'wait' ? ['SIGTERM'] : [],
  onReport: ({ code, text }) => void told.push(`${code}: ${text}`),
});
const context = registry.createExecutionContext({ source: 'program', userId: 'user-77' });
const tell = (text: string) => new Promise<void>((done) => process.stderr.write(`${text}\n`, () => done()));

const runs: Record<Orders['how'], () => Promise<void>> = {
  async samples() {
    for (const [n, { given }] of secretSamples().entries()) {
      // All of them at once would be more than may wait.
      if (n % SAMPLES_AT_ONCE === 0) await registry.flush();
      const text = typeof given === 'string' ? given : JSON.stringify(given);
      const failing = context.wrapTool('failing', (_input: unknown) => {
        throw Object.assign(new TypeError(text), { cause: new RangeError(text) });
      });
      const passing = context.wrapTool('passing', (input: unknown) => ({ output: input }));
      try {
        failing(given);
      } catch {
        passing(given);
      }
      context.emit('security.audit', { given });
    }
    await end();
  },
  async events() {
    for (let n = 0; n < events; n++) context.emit('test.happened', { n });
    await registry.flush();
    await end();
  },
  /** Ends without a word to the registry. */
  async exit() {
    for (let n = 0; n < events; n++) context.emit('test.happened', { n });
  },
  async wait() {
    for (let n = 0; n < events; n++) context.emit('test.happened', { n });
    if (takesSignal) process.once('SIGTERM', () => void registry.close().then(() => process.exit(3)));
    setInterval(() => {}, 1_000);
    await tell('ready');
  },
  /** Emits far more than anybody reads, and says how long the longest turn took. */
  async flood() {
    const tool = context.wrapTool('busy', (n: number) => n);
    let worstMs = 0;
    let last = performance.now();
    for (let n = 0; n < events; n++) {
      tool(n);
      context.emit('test.happened', { n, text: 'x'.repeat(500) });
      if (n % 100 !== 0) continue;
      await new Promise((done) => setImmediate(done));
      worstMs = Math.max(worstMs, performance.now() - last);
      last = performance.now();
    }
    await tell(JSON.stringify({ worstMs, counts: registry.status().counts }));
    process.kill(process.pid, 'SIGKILL');
  },
};

async function end(): Promise<void> {
  const answer = await registry.close();
  await tell(JSON.stringify({ ...answer, counts: registry.status().counts, told }));
}

await runs[how]();
