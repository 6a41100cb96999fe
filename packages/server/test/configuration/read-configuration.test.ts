import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, isEventManagerError } from '@event-manager/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LIMIT_SETTINGS, readConfiguration, SETTINGS } from '../../src/index.ts';

interface Sources {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function read({ args = [], environment = {}, file }: Sources = {}) {
  const from = file === undefined ? environment : { ...environment, EVENT_MANAGER_CONFIG: writeFile(file) };
  return readConfiguration({ args, environment: from, homeDirectory: '/home/somebody' });
}

function writeFile(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-settings-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'settings.toml');
  writeFileSync(path, text);
  return path;
}

/** The message of the refusal. */
function refusal(sources: Sources): string {
  try {
    read(sources);
  } catch (error) {
    if (isEventManagerError(error, 'invalid_setting')) return error.message;
    throw error;
  }
  return expect.fail('It was accepted.');
}

describe('readConfiguration', () => {
  it('has a default for everything', () => {
    expect(read()).toMatchObject({
      port: 3004,
      host: '127.0.0.1',
      adapter: 'journal',
      dataDir: '/home/somebody/.local/share/event-manager',
      limits: DEFAULT_LIMITS,
      webhookAllow: [],
      allowUnauthenticated: false,
    });
  });

  it('keeps data where the user keeps data', () => {
    expect(read({ environment: { XDG_DATA_HOME: '/data' } }).dataDir).toBe('/data/event-manager');
    expect(read({ environment: { XDG_DATA_HOME: 'relative' } }).dataDir).toBe(
      '/home/somebody/.local/share/event-manager',
    );
    expect(read({ environment: { EVENT_MANAGER_DATA_DIR: '/elsewhere' } }).dataDir).toBe('/elsewhere');
  });

  it('reads the command line before the environment, that before the file, that before the default', () => {
    const file =
      'port = 1001\nlog_level = "warn"\nwebhookAllow = ["loopback", "10.0.0.0/8"]\n[limits]\ndepth_max = 32\n';
    const environment = { EVENT_MANAGER_PORT: '1002', EVENT_MANAGER_DEPTH_MAX: '16' };
    expect(read({ file })).toMatchObject({ port: 1001, logLevel: 'warn', limits: { depthMax: 32 } });
    expect(read({ file }).webhookAllow).toEqual(['loopback', '10.0.0.0/8']);
    expect(read({ file, environment })).toMatchObject({ port: 1002, logLevel: 'warn', limits: { depthMax: 16 } });
    expect(read({ file, environment, args: ['--port', '1003', '--adapter=memory'] })).toMatchObject({
      port: 1003,
      adapter: 'memory',
    });
  });

  it('makes every setting and every limit settable from the environment and from a file', () => {
    for (const [name, row] of Object.entries(LIMIT_SETTINGS)) {
      const value = row.fallback - 1;
      const byVariable = read({ environment: { [row.variable]: String(value) } });
      const byFile = read({ file: `[limits]\n${name} = ${value}` });
      expect([byVariable.limits, byFile.limits]).toEqual([byFile.limits, { ...DEFAULT_LIMITS, [name]: value }]);
    }
    const variables = [...Object.values(SETTINGS), ...Object.values(LIMIT_SETTINGS)].map((row) => row.variable);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it('says which setting is wrong, where it came from and what it may be', () => {
    expect(refusal({ environment: { EVENT_MANAGER_PORT: '99999' } })).toBe(
      'The setting port (EVENT_MANAGER_PORT) must be a whole number from 0 to 65535.',
    );
    expect(refusal({ args: ['--adapter', 'kafka'] })).toBe(
      'The setting adapter (--adapter) must be one of journal, memory.',
    );
    expect(refusal({ environment: { EVENT_MANAGER_PROT: '1' } })).toMatch(
      /EVENT_MANAGER_PROT \(environment\) is not known/,
    );
    expect(refusal({ args: ['--prot', '1'] })).toMatch(/--prot.*Known are --port/);
    expect(refusal({ args: ['serve'] })).toMatch(/serve/);
    expect(refusal({ args: ['--port'] })).toMatch(/--port/);
    expect(refusal({ file: 'colour = "red"' })).toMatch(/colour \(.*settings\.toml\) is not known/);
    expect(refusal({ file: '[limits]\nevent_bytes = 5' })).toMatch(/limits\.eventBytes \(.*\) is not known/);
    expect(refusal({ file: 'port = 1\nlogLevel = "x"' })).toMatch(/logLevel.*must be one of/);
    expect(refusal({ file: 'log_level = "info"\nlogLevel = "info"' })).toMatch(/given twice/);
    expect(refusal({ file: 'port = ' })).toMatch(/is not TOML at line 1/);
    expect(refusal({ environment: { EVENT_MANAGER_CONFIG: '/nowhere/x.toml' } })).toMatch(/cannot be read \(ENOENT\)/);
    expect(refusal({ file: 'config = "other.toml"' })).toMatch(/config .*is not known/);
    const both = { EVENT_MANAGER_EVENT_BYTES_MAX: '2000', EVENT_MANAGER_BODY_BYTES_MAX: '1000' };
    expect(refusal({ environment: both })).toMatch(
      /limits\.eventBytesMax.*must not be larger than limits\.bodyBytesMax/,
    );
  });

  it('refuses to let others in as long as nobody is asked who they are', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.com', '127.0.0.1.example.com', '::ffff:1.2.3.4']) {
      expect(refusal({ args: ['--host', host] })).toMatch(
        /no authentication.*EVENT_MANAGER_ALLOW_UNAUTHENTICATED=true/,
      );
    }
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
      expect(read({ args: ['--host', host] }).host).toBe(host);
    const environment = { EVENT_MANAGER_ALLOW_UNAUTHENTICATED: 'true' };
    expect(read({ environment, args: ['--host', '0.0.0.0'] }).host).toBe('0.0.0.0');
  });

  it('is not led astray by the variables that Kubernetes makes for a service of this name', () => {
    const environment = {
      EVENT_MANAGER_PORT: 'tcp://10.0.0.7:3004',
      EVENT_MANAGER_SERVICE_HOST: '10.0.0.7',
      EVENT_MANAGER_SERVICE_PORT: '3004',
      EVENT_MANAGER_PORT_3004_TCP_ADDR: '10.0.0.7',
      EVENT_MANAGER_HOST: '',
    };
    expect(read({ environment })).toMatchObject({ port: 3004, host: '127.0.0.1' });
  });

  it('is repeated in docs/settings.md, in both directions', () => {
    const page = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\S+)` \| `(\S+)` \|/gm)].map(([, name, variable]) => [name, variable]);
    const settings = Object.entries(SETTINGS).map(([name, row]) => [name, row.variable]);
    const limits = Object.entries(LIMIT_SETTINGS).map(([name, row]) => [`limits.${name}`, row.variable]);
    expect(rows).toEqual([...settings, ...limits]);
  });
});
