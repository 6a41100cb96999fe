import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, isEventManagerError } from '@event-manager/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EVERY_SETTING, LIMIT_SETTINGS, readConfiguration, settleConfiguration } from '../../src/index.ts';

interface Sources {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function surroundings({ args = [], environment = {}, file }: Sources = {}) {
  const from = file === undefined ? environment : { ...environment, EVENT_MANAGER_CONFIG: writeFile(file) };
  return { args, environment: from, homeDirectory: '/home/somebody' };
}

const read = (sources?: Sources) => readConfiguration(surroundings(sources));
const settle = (sources?: Sources) => settleConfiguration(surroundings(sources));

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
    const rows = [...EVERY_SETTING.values()];
    const variables = rows.flatMap((row) => [row.variable, ...(row.aliases ?? [])]);
    expect(new Set(variables).size).toBe(variables.length);
    const names = rows.flatMap((row) => [row.name.replace('limits.', ''), ...(row.spellings ?? [])]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('says which setting is wrong, where it came from and what it may be', () => {
    expect(refusal({ environment: { EVENT_MANAGER_PORT: '99999' } })).toBe(
      'The setting port (EVENT_MANAGER_PORT) must be a whole number from 0 to 65535.',
    );
    expect(refusal({ args: ['--adapter', 'kafka'] })).toBe(
      'The setting adapter (--adapter) must be one of journal, postgres, redis, memory.',
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
    expect(refusal({ file: 'wsFrameBytesMax = 2000' })).toMatch(
      /wsFrameBytesMax.*must not be smaller than limits\.eventBytesMax/,
    );
  });

  it('takes origins as browsers write them, and refuses what no browser would ever send', () => {
    const origins = ['https://app.example', 'http://localhost:5173', 'http://[::1]:8080'];
    expect(read({ environment: { EVENT_MANAGER_ALLOWED_ORIGINS: origins.join(', ') } }).allowedOrigins).toEqual(
      origins,
    );
    const never = [
      '*',
      'null',
      'app.example',
      'https://app.example/',
      'https://App.example',
      'https://app.example:443',
    ];
    for (const origin of [...never, 'wss://app.example', 'https://*.example', 'https://app.example/path', 'file://']) {
      expect(refusal({ environment: { EVENT_MANAGER_ALLOWED_ORIGINS: origin } }), origin).toMatch(
        /allowedOrigins.*must be/,
      );
    }
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

  it('takes a name split into tables at any of its words, in both cases, but only once', () => {
    for (const file of [
      '[queue]\nmaxSize = 7',
      '[queue]\nmax_size = 7',
      '[queue.max]\nsize = 7',
      '[limits]\nqueue_max_size = 7',
      '[limits.queue]\nmax_size = 7',
      'queueMaxSize = 7',
    ]) {
      expect(read({ file }).limits.queueMaxSize).toBe(7);
    }
    expect(read({ file: '[webhook]\nallow = ["loopback"]\n[log]\nlevel = "warn"' })).toMatchObject({
      webhookAllow: ['loopback'],
      logLevel: 'warn',
    });
    expect(refusal({ file: '[limits]\nqueue_max_size = 7\n[queue]\nmax_size = 7' })).toMatch(/given twice/);
    expect(refusal({ file: '[queue]\nmin_size = 7' })).toMatch(/queue\.min_size \(.*\) is not known/);
    expect(refusal({ file: '[limits]\nport = 7' })).toMatch(/limits\.port .*is not known/);
  });

  it('takes the names that platforms set for every program, unless our own is there', () => {
    const environment = { PORT: '8080', LOG_LEVEL: 'INFO' };
    expect(read({ environment })).toMatchObject({ port: 8080, logLevel: 'info' });
    const both = { ...environment, EVENT_MANAGER_PORT: '9090', EVENT_MANAGER_LOG_LEVEL: 'debug' };
    expect(read({ environment: both })).toMatchObject({ port: 9090, logLevel: 'debug' });
    const { port } = Object.fromEntries(settle({ environment: both }).settings);
    expect(port).toMatchObject({ value: 9090, from: 'EVENT_MANAGER_PORT', kind: 'environment' });
    expect(port!.beaten).toEqual([{ value: '8080', from: 'PORT', kind: 'environment' }]);
    expect(refusal({ environment: { PORT: 'http' } })).toMatch(/port \(PORT\) must be a whole number/);
  });

  it('says where each value came from and what it beat', () => {
    const { settings } = settle({
      file: 'port = 1\nlogLevel = "warn"',
      environment: { EVENT_MANAGER_PORT: '2' },
      args: ['--port', '3'],
    });
    expect(settings.get('port')).toMatchObject({ value: 3, kind: 'command line', from: '--port' });
    expect(settings.get('port')!.beaten.map(({ kind, value }) => [kind, value])).toEqual([
      ['environment', '2'],
      ['file', 1],
    ]);
    expect(settings.get('logLevel')).toMatchObject({ value: 'warn', kind: 'file', beaten: [] });
    expect(settings.get('host')).toMatchObject({ value: '127.0.0.1', kind: 'default', from: '' });
    expect([...settings.keys()]).toEqual([...EVERY_SETTING.keys()]);
  });

  it('warns of what it knows and does not use', () => {
    const printed = {
      REDIS_URL: 'redis://redis:6379',
      VECTOR_STORE_URL: 'http://qdrant:6333',
      AAS_WEBHOOK_URL: 'https://aas-service:3005/events/webhook',
      AAS_WEBSOCKET_URL: 'ws://aas-service:3005/events/realtime',
      NODE_ENV: 'development',
    };
    const { warnings } = settle({ environment: printed });
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toBe('The setting redisUrl (REDIS_URL) is not used: the adapter is journal.');
    const file = '[redis]\nkeyPrefix = "dadms:events:"\n[queue]\nbatchSize = 100\nflushInterval = 1000';
    expect(settle({ file }).warnings).toHaveLength(3);
    expect(refusal({ environment: { AAS_BATCH_SIZE: 'many' } })).toMatch(/aasBatchSize \(AAS_BATCH_SIZE\) must be/);
  });

  it('reads secrets from files that are named by a variable', () => {
    const path = writeFile('redis://:hidden@redis:6379\n');
    const { settings } = settle({
      environment: {
        EVENT_MANAGER_DATABASE_URL: 'postgres://database',
        EVENT_MANAGER_REDIS_URL_FILE: path,
        REDIS_URL: 'redis://other',
      },
    });
    const { value, from, beaten } = settings.get('redisUrl')!;
    expect([value, from, beaten.length]).toEqual(['redis://:hidden@redis:6379', 'EVENT_MANAGER_REDIS_URL_FILE', 1]);
    expect(refusal({ environment: { REDIS_URL_FILE: '/nowhere/x' } })).toMatch(
      /redisUrl \(REDIS_URL_FILE\) names a file that cannot be read \(ENOENT\)/,
    );
    expect(refusal({ environment: { EVENT_MANAGER_PORT_FILE: path } })).toMatch(/is not known/);
  });

  it('leaves the variable of the command line to the command line', () => {
    expect(read({ environment: { EVENT_MANAGER_URL: 'http://elsewhere:3004' } }).port).toBe(3004);
    // Of a program with events for components, which may be started in the same environment.
    expect(read({ environment: { EVENT_MANAGER_EVENTS_ENABLED: 'true' } }).port).toBe(3004);
  });

  it('takes the retry policy of the specification by its own names', () => {
    const file =
      '[retry]\nmaxRetries = 7\nbackoff_strategy = "linear"\ninitialDelay = 50\nmaxDelay = 100\njitter = false';
    expect(read({ file })).toMatchObject({
      retryMaxRetries: 7,
      retryBackoffStrategy: 'linear',
      retryInitialDelayMs: 50,
      retryMaxDelayMs: 100,
      retryJitter: false,
    });
    const environment = { EVENT_MANAGER_RETRY_INITIAL_DELAY_MS: '60000' };
    expect(refusal({ environment })).toMatch(/retryMaxDelayMs \(.*\) must not be shorter than retryInitialDelayMs/);
    expect(refusal({ file: '[retry]\ninitialDelay = 1\ninitial_delay_ms = 1' })).toMatch(/given twice/);
  });
});
