import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ComponentEvent,
  ComponentRegistry,
  type EventsReport,
  type SwitchOptions,
} from '@event-manager/components';
import { TestEventCollector } from '@event-manager/testing';
import { expect, onTestFinished } from 'vitest';

const environmentPrefix = 'LLMSPELL_EVENTS_';

export interface Deployment {
  readonly registry: ComponentRegistry;
  readonly collector: TestEventCollector<ComponentEvent>;
  readonly reports: readonly EventsReport[];
  /** What stands for `/var/log`. */
  readonly logs: string;
  readonly file: string;
  /** Types of events that an agent with a tool, a workflow and the program's own words cause. */
  work(): Promise<readonly string[]>;
}

/** A program that was configured by this text, as it stands in the document. */
export async function deployment(toml: string, options: SwitchOptions = {}): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'events-003-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const logs = join(folder, 'log');
  for (const name of ['llmspell', 'audit']) mkdirSync(join(logs, name), { recursive: true });
  const file = join(folder, 'config.toml');
  writeFileSync(file, toml.replaceAll('/var/log', logs));
  const collector = new TestEventCollector<ComponentEvent>();
  const reports: EventsReport[] = [];
  const registry = await ComponentRegistry.configured({
    bus: { publish: collector.handler },
    file,
    watch: true,
    environment: {},
    environmentPrefix,
    // Where the document writes to the standard output, that of this process is left in peace.
    stdout: 2 ** 20,
    onReport: (report) => void reports.push(report),
    ...options,
  });
  onTestFinished(async () => void (await registry.close()));
  const work = async () => {
    collector.clear();
    const context = registry.createExecutionContext();
    const tool = context.wrapTool('search', () => 'found');
    const broken = context.wrapTool('broken', () => {
      throw new TypeError('no such page');
    });
    const agent = context.wrapAgent('planner', () => tool());
    context.wrapWorkflow('release', () => agent())();
    expect(broken).toThrow('no such page');
    for (const type of ['error.disk', 'metric.heap', 'security.login', 'auth.denied', 'file.access'])
      context.emit(type);
    await registry.flush();
    return collector.events.map(({ type }) => type);
  };
  return { registry, collector, reports, logs, file, work };
}
