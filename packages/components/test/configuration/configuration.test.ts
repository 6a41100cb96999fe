import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ComponentRegistry, type EventsReport, type SwitchOptions } from '@event-manager/components';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EVENT_SETTINGS } from '../../src/configuration/event-settings.ts';
import type { EventsConfiguration } from '../../src/configuration/events-configuration.ts';
import { EventsSettings, type SettingsOptions } from '../../src/configuration/events-settings.ts';
import { collecting } from '../collecting.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { until } from '../until.ts';

const settled = async (options: SettingsOptions) =>
  (await EventsSettings.open({ environment: {}, ...options })).settle();
const configurationOf = async (options: SettingsOptions): Promise<EventsConfiguration> =>
  (await settled(options)).configuration;

function fileWith(text: string): string {
  const file = join(temporaryFolder(), 'app.toml');
  writeFileSync(file, text);
  return file;
}

describe('defaults', () => {
  it('are those of the specification', async () => {
    expect(await configurationOf({})).toMatchObject({
      enabled: false,
      bufferSize: 10_000,
      maxEventsPerSecond: 0,
      emitTimingEvents: true,
      emitStateEvents: false,
      emitDebugEvents: false,
      includeUserData: false,
      health: { enabled: false, host: '127.0.0.1', port: 8080 },
      filtering: { includeTypes: [], excludeTypes: [] },
      exports: [],
    });
  });
});

describe('who wins', () => {
  const file = () => fileWith('[events]\nbuffer_size = 1\nmax_events_per_second = 2\n[events.export]\nstdout = true\n');

  it('is the call, then the environment, then the file, then the default', async () => {
    const environment = { EVENT_MANAGER_EVENTS_BUFFER_SIZE: '3', EVENT_MANAGER_EVENTS_EXPORT_STDOUT: 'false' };
    const options = { file: file(), environment };
    expect(await configurationOf(options)).toMatchObject({ bufferSize: 3, maxEventsPerSecond: 2, exports: [] });
    expect(await configurationOf({ ...options, config: { bufferSize: 4 } })).toMatchObject({ bufferSize: 4 });
    expect(await configurationOf({ file: file() })).toMatchObject({ bufferSize: 1, exports: [{ stdout: true }] });
  });

  it('is told', async () => {
    const registry = await ComponentRegistry.configured({
      file: file(),
      environment: { EVENT_MANAGER_EVENTS_BUFFER_SIZE: '3' },
      config: { emitDebugEvents: true },
    });
    expect(registry.status().settings).toEqual([
      { name: 'emit_debug_events', by: 'call', from: 'the call' },
      { name: 'buffer_size', by: 'environment', from: 'EVENT_MANAGER_EVENTS_BUFFER_SIZE' },
      { name: 'max_events_per_second', by: 'file', from: expect.stringContaining('app.toml') },
      { name: 'export.stdout', by: 'file', from: expect.stringContaining('app.toml') },
    ]);
  });

  it('may be any variable: each setting has one, also with another prefix', async () => {
    for (const [key, { reader }] of Object.entries(EVENT_SETTINGS)) {
      const value = ['true', '1', '1024', 'https://example.com/x'].find((text) => reader.read(text) !== undefined)!;
      const variable = `LLMSPELL_EVENTS_${key.replaceAll('.', '_').toUpperCase()}`;
      const { winners } = await settled({ environment: { [variable]: value }, environmentPrefix: 'LLMSPELL_EVENTS_' });
      expect([...winners]).toEqual([[key, { value, by: 'environment', from: variable }]]);
    }
  });

  it('leaves variables alone that are no settings: empty ones, and links of Kubernetes', async () => {
    const prefix = 'EVENT_MANAGER_EVENTS_';
    const environment = {
      [`${prefix}ENABLED`]: '',
      [`${prefix}SERVICE_HOST`]: '10.0.0.1',
      [`${prefix}PORT_3004_TCP_ADDR`]: '10.0.0.1',
      EVENT_MANAGER_PORT: '1',
    };
    expect((await settled({ environment })).winners.size).toBe(0);
  });
});

describe('exports with names', () => {
  it('have filters of their own, in the file and in variables', async () => {
    const file = fileWith(`
[events.export]
stdout = true
[events.export.audit]
file = "/var/log/audit/events.log"
include_types = ["security.*", "auth.*"]
`);
    const environment = {
      EVENT_MANAGER_EVENTS_EXPORT_AUDIT_FILE_KEEP: '9',
      EVENT_MANAGER_EVENTS_EXPORT_OPS_STDOUT: '1',
    };
    const { exports } = await configurationOf({ file, environment });
    expect(exports.map(({ name, fileKeep, includeTypes }) => ({ name, fileKeep, includeTypes }))).toEqual([
      { name: '', fileKeep: 5, includeTypes: [] },
      { name: 'audit', fileKeep: 9, includeTypes: ['security.*', 'auth.*'] },
      { name: 'ops', fileKeep: 5, includeTypes: [] },
    ]);
  });

  it('take their secret from a file that a variable names', async () => {
    const secretFile = fileWith('whsec_c2VjcmV0\n');
    const environment = { EVENT_MANAGER_EVENTS_EXPORT_WEBHOOK_SECRET_FILE: secretFile };
    const { winners } = await settled({ environment });
    expect(winners.get('export.webhook_secret')?.value).toBe('whsec_c2VjcmV0');
  });
});

/** A configuration that was not meant must not be half in force. */
describe('what is wrong', () => {
  const cases: readonly [what: string, text: string, line: number | undefined, setting: string, words: string][] = [
    ['a value', '\n[events]\nenabled = 1\nbuffer_size = "many"\n', 4, 'events.buffer_size', 'whole number'],
    ['a name', '[events]\nenabled = true\nbufer_size = 1\n', 3, 'events.bufer_size', 'is not known'],
    ['a table', '[events.filter]\ninclude_types = []\n', 2, 'events.filter.include_types', 'is not known'],
    ['two spellings', '[events]\nbuffer_size = 1\nbufferSize = 2\n', 2, 'events.buffer_size', 'twice'],
    ['a pattern', '[events.filtering]\ninclude_types = ["agent*"]\n', 2, 'events.filtering.include_types', 'pattern'],
    ['syntax', '[events]\nenabled = \n', 2, 'events', 'no TOML'],
    ['no table', 'events = 3\n', 1, 'events', 'must be a table'],
    ['of a named export', '[events.export.audit]\nfile = 3\n', 2, 'events.export.audit.file', 'must be'],
  ];

  it.each(cases)('is told with its file, line and key: %s', async (_what, text, line, setting, words) => {
    const file = fileWith(text.replace('enabled = 1', 'enabled = true'));
    const refused = ComponentRegistry.configured({ file, environment: {} });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_setting',
      message: expect.stringContaining(words),
      details: { setting, from: file, line },
    });
    await expect(refused).rejects.toThrow(`${file}, line ${line}`);
  });

  it.each([
    [{ EVENT_MANAGER_EVENTS_BUFFER_SIZE: 'x' }, 'EVENT_MANAGER_EVENTS_BUFFER_SIZE'],
    [{ EVENT_MANAGER_EVENTS_BUFFER: '1' }, 'EVENT_MANAGER_EVENTS_BUFFER'],
    [
      { EVENT_MANAGER_EVENTS_EXPORT_WEBHOOK_SECRET_FILE: '/nowhere' },
      'EVENT_MANAGER_EVENTS_EXPORT_WEBHOOK_SECRET_FILE',
    ],
  ])('is told with its variable: %j', async (environment, from) => {
    await expect(ComponentRegistry.configured({ environment })).rejects.toMatchObject({
      code: 'invalid_setting',
      details: { from },
    });
  });

  it('is told of a file that cannot be read', async () => {
    const folder = temporaryFolder();
    for (const file of [join(folder, 'nothing.toml'), folder]) {
      const details = { from: file, setting: 'events' };
      await expect(ComponentRegistry.configured({ file })).rejects.toMatchObject({ code: 'invalid_setting', details });
    }
  });

  it('leaves what is in force as it is', async () => {
    const { registry, types } = await collecting({ filtering: { includeTypes: ['tool.*'] } });
    const context = registry.createExecutionContext();
    const wrong = [
      { bufferSize: -1 },
      { filtering: { includeTypes: ['a.*.*.*.*.b'] } },
      { export: { webhook: 'http://127.0.0.1/x' }, filtering: { includeTypes: [] } },
      { export: { webhook: 'no address' } },
      { export: { webhook: 'https://example.com/x', webhookSecret: 'short' } },
      { unknown: true },
    ];
    for (const config of wrong) {
      await expect(registry.configure(config as never)).rejects.toMatchObject({ code: 'invalid_setting' });
      context.wrapTool('search', () => 1)();
      context.wrapAgent('planner', () => 1)();
    }
    expect(new Set(await types())).toEqual(new Set(['tool.started', 'tool.completed']));
    expect((await types()).length).toBe(2 * wrong.length);
    const details = { setting: 'events.export.webhook_secret', from: 'the call' };
    await expect(registry.configure(wrong[4] as never)).rejects.toMatchObject({ details });
    // What was refused is forgotten: the next word is heard alone.
    await registry.configure({ filtering: { includeTypes: ['agent.*'] } });
    context.wrapAgent('planner', () => 1)();
    expect((await types()).at(-1)).toBe('agent.completed');
  });
});

describe('a file that is watched', () => {
  async function watching(text: string, options: SwitchOptions = {}) {
    const file = fileWith(text);
    const reports: EventsReport[] = [];
    const onReport = (report: EventsReport) => void reports.push(report);
    const made = await collecting({ enabled: undefined }, { file, watch: true, onReport, ...options });
    return { ...made, file, reports };
  }

  it('switches events on and off without a restart', async () => {
    const { registry, file, types } = await watching('[events]\nenabled = false\n');
    const tool = registry.createExecutionContext().wrapTool('search', () => 1);
    tool();
    writeFileSync(file, '[events]\nenabled = true\n');
    await until(() => registry.enabled);
    tool();
    writeFileSync(file, '[events]\nenabled = false\n');
    await until(() => !registry.enabled);
    tool();
    expect(await types()).toEqual(['tool.started', 'tool.completed']);
  });

  it('is followed where an editor or Kubernetes puts another file in its place', async () => {
    const folder = temporaryFolder();
    const write = (name: string, isOn: boolean) => writeFileSync(join(folder, name), `[events]\nenabled = ${isOn}\n`);
    const file = join(folder, 'app.toml');
    write('app.toml', false);
    const registry = await ComponentRegistry.configured({ file, watch: true, environment: {} });
    onTestFinished(async () => void (await registry.close()));
    write('app.toml.new', true);
    renameSync(join(folder, 'app.toml.new'), file);
    await until(() => registry.enabled);
    rmSync(file);
    write('linked.toml', false);
    symlinkSync(join(folder, 'linked.toml'), file);
    await until(() => !registry.enabled);
  });

  it('that is wrong changes nothing, and is told; once it is right it is in force', async () => {
    const { registry, file, reports } = await watching('[events]\nenabled = true\n');
    writeFileSync(file, '[events]\nenabled = "perhaps"\n');
    await until(() => reports.length > 0);
    expect([registry.enabled, reports[0]!.code]).toEqual([true, 'configuration_refused']);
    expect(reports[0]!.text).toContain(`events.enabled (${file}, line 2) must be true or false`);
    writeFileSync(file, '[events]\nenabled = false\n');
    await until(() => !registry.enabled);
  });

  it('says what stronger words keep from being in force', async () => {
    const environment = { EVENT_MANAGER_EVENTS_ENABLED: 'true' };
    const { registry, file, reports } = await watching('[events]\nenabled = true\n', { environment });
    writeFileSync(file, '\n[events]\nenabled = false\n');
    await until(() => reports.length > 0);
    expect(registry.enabled).toBe(true);
    expect(reports).toEqual([
      {
        code: 'setting_shadowed',
        text: `The setting events.enabled (${file}, line 3) has no effect: EVENT_MANAGER_EVENTS_ENABLED says it too.`,
      },
    ]);
  });

  it('wins again when the program takes back its word', async () => {
    const { registry } = await watching('[events]\nenabled = true\n');
    await registry.disable();
    expect(registry.enabled).toBe(false);
    await registry.configure({ enabled: undefined });
    expect(registry.enabled).toBe(true);
  });
});
