/**
 * The third of the documents that this product was made from asks for events of components that cost nothing while they are off. Its code
 * blocks run here as they stand there, with the names of this product imported, in the order of the document; only `/var/log` is a folder
 * of the test.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type ComponentEvent, ComponentRegistry, ExecutionContext } from '@event-manager/components';
import { EventBus, EventManager, memory } from '@event-manager/core';
import { assertEventEmitted, TestEventCollector } from '@event-manager/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deployment } from './deployment.ts';

const run = promisify(execFile);
const TOOL = ['tool.started', 'tool.completed', 'tool.failed'];
const AGENT = ['agent.started', 'agent.completed'];
const WORKFLOW = ['workflow.started', 'workflow.completed'];
const OWN = ['error.disk', 'metric.heap', 'security.login', 'auth.denied', 'file.access'];
const ALL = [...TOOL, ...AGENT, ...WORKFLOW, ...OWN];
const types = (events: readonly string[]) => [...new Set(events)].sort();
const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ComponentEvent);

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 20_000, interval: 10 }).toBe(true);
}

describe('Component Behavior', () => {
  it('is unchanged without events, and has them where they are configured', async () => {
    const context = new ExecutionContext(); // No events by default
    const component = () => 'done';
    expect(context.wrapAgent('mine', component)).toBe(component);

    const event_bus = new EventBus();
    onTestFinished(() => event_bus.close());
    const config = { enabled: true };
    const base_context = new ExecutionContext({ source: 'llmspell' });
    // Events only available when explicitly configured
    const registry = await ComponentRegistry.withEventBus(event_bus, config, { environment: {} });
    const context_with_events = registry.createExecutionContext(base_context);
    const seen: string[] = [];
    await event_bus.subscribe('#', ({ type, source }) => void seen.push(`${source}: ${type}`));
    context_with_events.wrapAgent('mine', component)();
    await registry.close();
    await event_bus.settled();
    expect(seen).toEqual(['llmspell: agent.started', 'llmspell: agent.completed']);
  });
});

describe('Default Configuration', () => {
  const toml = `
[events]
enabled = false  # Default: disabled for backward compatibility
buffer_size = 10000
emit_timing_events = true
emit_state_events = false
emit_debug_events = false
`;

  it('emits nothing, and says what is the default', async () => {
    const { registry, work } = await deployment(toml);
    expect([await work(), registry.enabled]).toEqual([[], false]);
    const withDefaults = await deployment('');
    await withDefaults.registry.enable();
    const written = await deployment(toml);
    await written.registry.enable();
    expect(await written.work()).toEqual(await withDefaults.work());
  });
});

describe('Enabling Events', () => {
  it('tells of agents and workflows, in the file and on the standard output', async () => {
    const { logs, work, reports } = await deployment(`
[events]
enabled = true
buffer_size = 10000

[events.filtering]
include_types = ["agent.*", "workflow.*"]
exclude_types = ["*.debug"]

[events.export]
stdout = true
file = "/var/log/llmspell/events.log"
`);
    expect(types(await work())).toEqual(types([...AGENT, ...WORKFLOW]));
    const log = join(logs, 'llmspell/events.log');
    expect(lines(log).map(({ type }) => type)).toEqual([...WORKFLOW.slice(0, 1), ...AGENT, ...WORKFLOW.slice(1)]);
    expect((statSync(log).mode & 0o777).toString(8)).toBe('600');
    // The descriptor that stands for the standard output is none: so it was tried.
    expect(reports.map(({ text }) => text)).toEqual([expect.stringContaining('stdout (EBADF)')]);
  });
});

describe('Environment Variable Override', () => {
  it('beats the file', async () => {
    const script = `
# Enable events via environment
export LLMSPELL_EVENTS_ENABLED=true
export LLMSPELL_EVENTS_BUFFER_SIZE=5000
export LLMSPELL_EVENTS_EXPORT_STDOUT=true
env`;
    const { stdout } = await run('bash', ['-c', script]);
    const environment = Object.fromEntries(
      stdout.split('\n').flatMap((line) => (line.startsWith('LLMSPELL_') ? [line.split('=') as [string, string]] : [])),
    );
    const { registry, work } = await deployment('[events]\nenabled = false\nbuffer_size = 1\n', { environment });
    expect(types(await work())).toEqual(types(ALL));
    const environmental = registry.status().settings.filter(({ by }) => by === 'environment');
    expect(environmental.map(({ name }) => name).sort()).toEqual(['buffer_size', 'enabled', 'export.stdout']);
  });
});

describe('Resource Planning', () => {
  const toml = `
[events]
enabled = true
buffer_size = 10000        # ~5MB memory max
max_events_per_second = 1000  # Rate limiting

[events.filtering]
# Focus on important events only
include_types = ["agent.completed", "workflow.failed", "error.*"]
`;

  it('lets important events through, a thousand a second', async () => {
    const { registry, collector, work } = await deployment(toml);
    expect(await work()).toEqual(['agent.completed', 'error.disk']);
    const context = registry.createExecutionContext();
    for (let n = 0; n < 3_000; n++) context.emit('error.flood', { n });
    await registry.flush();
    // The flood takes less than two seconds, and no second has more than a thousand.
    expect(collector.events.length).toBeGreaterThanOrEqual(1_000);
    expect(registry.status().counts!.refused.rate).toBeGreaterThan(900);
  });
});

describe('New Testing Capabilities', () => {
  class MyComponent {
    readonly execute: (task: string) => Promise<string>;

    private constructor(context: ExecutionContext) {
      this.execute = context.observe('component', 'mine', async (task: string) => task.toUpperCase());
    }

    static async withEvents(collector: TestEventCollector<ComponentEvent>) {
      const bus = { publish: collector.handler };
      const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
      onTestFinished(async () => void (await registry.close()));
      return { component: new MyComponent(registry.createExecutionContext()), settled: () => registry.flush() };
    }
  }

  it('test_component_events', async () => {
    const collector = new TestEventCollector<ComponentEvent>();
    const { component, settled } = await MyComponent.withEvents(collector);

    await component.execute('test');
    await settled();

    assertEventEmitted(collector, 'component.started');
    assertEventEmitted(collector, 'component.completed');
  });
});

describe('Common Migration Patterns', () => {
  it('Pattern 1: Monitoring Only', async () => {
    const { work, logs } = await deployment(`
# Enable events for observability without changing workflows
[events]
enabled = true
emit_timing_events = true

[events.filtering]
include_types = ["*.completed", "*.failed", "*.error"]

[events.export]
stdout = true
file = "/var/log/llmspell/events.log"
`);
    expect(types(await work())).toEqual(['agent.completed', 'tool.completed', 'tool.failed', 'workflow.completed']);
    expect(lines(join(logs, 'llmspell/events.log')).length).toBe(4);
  });

  it('Pattern 2: Workflow Coordination', async () => {
    const { work, reports } = await deployment(
      `
# Enable events for loose coupling between components
[events]
enabled = true
emit_state_events = true

[events.filtering]
include_types = ["workflow.*", "agent.completed", "tool.failed"]

[events.export]
webhook = "https://workflow-coordinator.internal/events"
`,
      // A name that leads into the network is not called, because it was not said that it may.
      { resolve: async () => [{ address: '10.0.0.7', family: 4 }] },
    );
    expect(types(await work())).toEqual(['agent.completed', 'tool.failed', ...WORKFLOW, 'workflow.state'].sort());
    expect(reports.map(({ text }) => text)).toEqual([
      'Events cannot be exported to https://workflow-coordinator.internal (endpoint_blocked): its address may not be called; name it in webhook_allow if it may.',
    ]);
  });

  it('Pattern 2 coordinates: an event of one component starts another', async () => {
    const bus = new EventBus();
    onTestFinished(() => bus.close());
    const registry = await ComponentRegistry.withEventBus(bus, { enabled: true }, { environment: {} });
    const context = registry.createExecutionContext();
    const report = context.wrapAgent('reporter', () => 'reported');
    await bus.subscribe('workflow.completed', () => void report());
    const seen: string[] = [];
    await bus.subscribe('agent.completed', ({ payload }) => void seen.push(payload['name'] as string));
    context.wrapWorkflow('release', () => 1)();
    await until(() => seen.length === 1);
    expect(seen).toEqual(['reporter']);
    await registry.close();
  });

  it('Pattern 3: Development and Debugging', async () => {
    const { work } = await deployment(`
# Enable all events for development
[events]
enabled = true
emit_debug_events = true
emit_timing_events = true

[events.export]
stdout = true
pretty_json = true
`);
    expect(types(await work())).toEqual(types([...ALL, 'agent.debug', 'tool.debug', 'workflow.debug']));
  });
});

describe('Immediate Rollback', () => {
  it('is the word of the environment, read again', async () => {
    const environment: Record<string, string> = { LLMSPELL_EVENTS_ENABLED: 'true' };
    const { registry, work } = await deployment('', { environment });
    expect((await work()).length).toBeGreaterThan(0);
    environment['LLMSPELL_EVENTS_ENABLED'] = 'false'; // export LLMSPELL_EVENTS_ENABLED=false
    await registry.reload();
    expect(await work()).toEqual([]);
  });

  it('is a changed file, without a restart', async () => {
    const { registry, file, work } = await deployment('[events]\nenabled = true\n');
    expect((await work()).length).toBeGreaterThan(0);
    writeFileSync(file, '# Or update configuration\n[events]\nenabled = false\n');
    await until(() => !registry.enabled);
    expect(await work()).toEqual([]);
  });
});

describe('Clean Shutdown', () => {
  it('stops accepting, flushes, closes and releases', async () => {
    const { registry, collector, logs } = await deployment(`
[events]
enabled = true
[events.export]
file = "/var/log/llmspell/events.log"
`);
    const context = registry.createExecutionContext();
    for (let n = 0; n < 1_000; n++) context.emit('work.done', { n });
    const closing = registry.close();
    expect(context.emit('work.done', { n: 1_000 })).toBe(false); // 1. Stop accepting new events
    expect(await closing).toEqual({ flushed: true, lost: 0 }); // 2. Flush queued events
    expect([collector.events.length, lines(join(logs, 'llmspell/events.log')).length]).toEqual([1_000, 1_000]);
    const open = await run('bash', ['-c', `ls -l /proc/${process.pid}/fd`]);
    expect(open.stdout).not.toContain('llmspell/events.log'); // 3. Close subscriptions, 4. Release resources
  });
});

describe('Troubleshooting Migration Issues', () => {
  it('High Memory Usage: a smaller buffer and a limit of the rate', async () => {
    const { registry } = await deployment(
      `
[events]
buffer_size = 1000  # Reduce buffer size
max_events_per_second = 100  # Add rate limiting
`,
      { config: { enabled: true, shutdownTimeoutMs: 0 }, bus: { publish: () => new Promise(() => {}) } },
    );
    const context = registry.createExecutionContext();
    const flood = () => {
      for (let n = 0; n < 5_000; n++) context.emit('work.done', { n });
    };
    flood();
    expect(registry.status().counts!.queued).toBeLessThanOrEqual(200);
    await registry.configure({ maxEventsPerSecond: 0 });
    flood();
    expect(registry.status().counts!.queued).toBe(1_000);
  });

  it('Performance Degradation: noisy events are left out', async () => {
    const { work } = await deployment(
      `
[events.filtering]
exclude_types = ["*.debug", "metric.*"]  # Filter noisy events
`,
      { config: { enabled: true, emitDebugEvents: true } },
    );
    expect(types(await work())).toEqual(types(ALL.filter((type) => type !== 'metric.heap')));
  });

  it('Events Not Appearing: what is in force, and who said it, can be asked for', async () => {
    const { registry, work } = await deployment(
      '[events]\nenabled = true\n[events.filtering]\ninclude_types = ["agent.complete"]\n',
    );
    expect(await work()).toEqual([]); // 3. Verify event type patterns
    expect(registry.status()).toMatchObject({
      enabled: true,
      settings: [{ name: 'enabled' }, { name: 'filtering.include_types', by: 'file' }], // 2. Review filtering configuration
      counts: { accepted: 0 },
    });
    const off = await deployment('[events]\nenabled = true\n', { environment: { LLMSPELL_EVENTS_ENABLED: 'false' } });
    expect(off.registry.status()).toEqual({
      enabled: false, // 1. Check LLMSPELL_EVENTS_ENABLED
      settings: [{ name: 'enabled', by: 'environment', from: 'LLMSPELL_EVENTS_ENABLED' }],
    });
  });

  it('File Permission Errors: the directory is what is missing, and then events are written', async () => {
    const { registry, logs, reports } = await deployment(
      '[events]\nenabled = true\n[events.export]\nfile = "/var/log/other/events.log"\n',
    );
    const context = registry.createExecutionContext();
    context.emit('work.done');
    await registry.flush();
    expect(reports[0]!.text).toContain('(ENOENT): the directory does not exist; make it with mkdir -p.');
    // Create log directory with proper permissions
    const directory = join(logs, 'other');
    await run('bash', ['-c', `mkdir -p ${directory}\nchmod 755 ${directory}`]);
    await until(async () => {
      context.emit('work.done');
      await registry.flush();
      return existsSync(join(directory, 'events.log'));
    });
    expect(reports.at(-1)!.code).toBe('export_recovered');
  });
});

describe('Audit Trail', () => {
  it('is a file of its own with what concerns security', async () => {
    const { work, logs } = await deployment(
      `
[events.filtering]
include_types = ["security.*", "auth.*", "file.access"]

[events.export]
file = "/var/log/audit/llmspell-events.log"
`,
      { config: { enabled: true } },
    );
    expect(await work()).toEqual(['security.login', 'auth.denied', 'file.access']);
    expect(lines(join(logs, 'audit/llmspell-events.log')).map(({ type }) => type)).toEqual([
      'security.login',
      'auth.denied',
      'file.access',
    ]);
  });
});

describe('Event Data Sanitization', () => {
  it('normalizes paths, strips secrets and leaves the user out', async () => {
    const { registry, collector } = await deployment('[events]\nenabled = true\n');
    const context = registry.createExecutionContext({ userId: 'bob' });
    const open = context.wrapTool('open', (_path: string) => {
      throw new TypeError('cannot open /home/bob/.netrc with token=abc123');
    });
    expect(() => open('/home/bob/.netrc')).toThrow();
    await registry.flush();
    expect(collector.events.at(-1)!.payload['error']).toEqual({
      name: 'TypeError',
      message: 'cannot open ~/.netrc with token=[redacted]',
    });
    expect(JSON.stringify(collector.events)).not.toContain('bob');
  });
});

describe('Health Checks', () => {
  it('are answered on a port, and event.stats is in the file', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((done) => probe.close(done));
    const { work, logs } = await deployment(
      `
[events]
enabled = true
stats_interval_ms = 50
[events.health]
enabled = true
[events.export]
file = "/var/log/llmspell/events.log"
`,
      { environment: { LLMSPELL_EVENTS_HEALTH_PORT: String(port) } },
    );
    await work();
    // Check event system status
    const health = () => run('curl', ['-sf', `http://localhost:${port}/health/events`]);
    await until(() =>
      health().then(
        () => true,
        () => false,
      ),
    );
    expect(JSON.parse((await health()).stdout)).toMatchObject({ status: 'ok', enabled: true, queued: 0 });
    // Monitor event statistics
    const log = join(logs, 'llmspell/events.log');
    await until(() => readFileSync(log, 'utf8').includes('event.stats'));
    const { stdout } = await run('bash', ['-c', `cat ${log} | grep "event.stats"`]);
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({
      type: 'event.stats',
      payload: { failed: { export: 0 } },
    });
    expect(dirname(log)).toBe(join(logs, 'llmspell'));
  });
});

describe('Gradual Adoption', () => {
  it('ends with events that are stored and can be read again', async () => {
    const events = new EventManager({ adapter: memory() });
    onTestFinished(() => events.close());
    const registry = await ComponentRegistry.withEventBus(events, { enabled: true }, { environment: {} });
    registry.createExecutionContext({ source: 'llmspell' }).wrapAgent('planner', () => 1)();
    await registry.close();
    expect((await events.getEvents({ source: 'llmspell' })).map(({ type }) => type).sort()).toEqual([
      'agent.completed',
      'agent.started',
    ]);
  });
});
