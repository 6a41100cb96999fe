import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigurationReload } from '../../src/configuration/configuration-reload.ts';
import { watchFile } from '../../src/configuration/watch-file.ts';
import { type Configuration, EVERY_SETTING, HTTP_STATUS, settleConfiguration, startService } from '../../src/index.ts';
import { call, postJson, sample } from '../running-service.ts';

function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-reload-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Nobody else may be kept from the usual port while these tests run. */
const QUIET = 'metrics_enabled = false\n';

/** A service whose settings come from a file, as the program has it. */
async function running(file: string, environment: Record<string, string> = {}) {
  const path = join(temporaryFolder(), 'settings.toml');
  const write = (text: string) => writeFileSync(path, text.includes('metrics') ? text : `${QUIET}${text}`);
  write(file);
  const args = ['--port', '0', '--adapter', 'memory', '--config', path];
  const surroundings = { args, environment, homeDirectory: tmpdir() };
  const settled = settleConfiguration(surroundings);
  const lines: Line[] = [];
  const logger = pino({ level: settled.configuration.logLevel }, { write: (text) => lines.push(JSON.parse(text)) });
  const service = await startService({ configuration: settled.configuration, logger });
  onTestFinished(() => service.stop());
  const apply = (next: Configuration) => service.reconfigure(next);
  const reload = new ConfigurationReload({ surroundings, settled, logger, apply });
  return {
    url: service.url,
    logger,
    lines,
    service,
    reload: (text: string) => {
      write(text);
      reload.run();
      return lines.at(-1)!;
    },
    catchUp: (text: string) => {
      write(text);
      reload.catchUp();
    },
  };
}

describe('reading the configuration again', () => {
  it('puts what is live in force, names what waits for a restart and what something stronger keeps', async () => {
    const { reload, logger } = await running('log_level = "info"', { EVENT_MANAGER_SHUTDOWN_MS: '9000' });
    const line = reload('log_level = "debug"\nshutdown_ms = 5000\nheader_bytes_max = 20000\nport = 3999');
    expect(logger.level).toBe('debug');
    expect(line).toMatchObject({
      inForce: ['logLevel'],
      waiting: ['headerBytesMax'],
      kept: ['port (--port)', 'shutdownMs (EVENT_MANAGER_SHUTDOWN_MS)'],
    });
    expect(line.msg).toBe(
      'configuration read again; in force: logLevel; waiting for a restart: headerBytesMax; ' +
        'kept as it was by something stronger: port (--port), shutdownMs (EVENT_MANAGER_SHUTDOWN_MS)',
    );
    expect(reload('log_level = "debug"\nshutdown_ms = 5000\nport = 3999').msg).toMatch(/nothing changed/);
  });

  it('catches up with what changed before it was watched, and is silent when nothing did', async () => {
    const { catchUp, logger, lines } = await running('log_level = "info"');
    const before = lines.length;
    catchUp('log_level = "info"');
    expect(lines).toHaveLength(before);
    catchUp('log_level = "debug"');
    expect(logger.level).toBe('debug');
    catchUp('log_level = 1');
    expect(lines.at(-1)).toMatchObject({ level: 50 });
  });

  it('keeps everything when one value is wrong, and says which', async () => {
    const { reload, logger } = await running('log_level = "info"');
    const mistakes = [
      'log_level = "debug"\nshutdown_ms = "soon"',
      'log_level = "debug"\nwebhook_allow = ["10.0.0.0/99"]',
      'log_level = "debug"\nlog = ',
      'log_level = "debug"\n[database]\nurl = "postgresql://x"\ncolour = 1',
    ];
    for (const mistake of mistakes) {
      expect(reload(mistake)).toMatchObject({ level: 50, msg: expect.stringMatching(/^The configuration stays as/) });
      expect(logger.level).toBe('info');
    }
    expect(reload('log_level = "debug"').msg).toMatch(/in force: logLevel/);
  });

  it('changes how the service behaves, without a restart', async () => {
    const { url, reload } = await running('');
    const webhook = { topic: 'a', endpoint: 'http://127.0.0.1:9/' };
    const status = async (path: string, body: unknown) => (await postJson(`${url}${path}`, body)).status;
    expect(await status('/subscriptions', webhook)).toBe(403);
    expect((await call(`${url}/events/stream`, { method: 'HEAD' })).status).toBe(200);
    reload('streams_max = 0\nwebhook_allow = ["loopback"]\n[limits]\ntags_max = 1\nbatch_events_max = 1');
    expect(await status('/subscriptions', webhook)).toBe(201);
    expect(await status('/events', sample({ metadata: { tags: ['a', 'b'] } }))).toBe(400);
    expect(await status('/events/batch', [sample(), sample()])).toBe(413);
    expect((await call(`${url}/events/stream`)).status).toBe(HTTP_STATUS.overloaded);
    reload('webhook_allow = ["loopback"]\n[limits]\nsubscriptions_max = 1');
    expect(await status('/events/batch', [sample(), sample()])).toBe(201);
    expect(await status('/subscriptions', { ...webhook, name: 'second' })).toBe(HTTP_STATUS.too_many_subscriptions);
  });

  it('opens, moves and closes the port of the metrics', async () => {
    const { service, reload } = await running('metrics_enabled = false');
    expect(service.metricsUrl).toBeUndefined();
    expect(reload('[metrics]\nenabled = true\nport = 0').inForce).toEqual(['metricsEnabled', 'metricsPort']);
    await expect.poll(() => service.metricsUrl).toMatch(/^http/);
    const url = service.metricsUrl!;
    expect((await call(url)).body).toMatch(/^# HELP/);
    reload('metrics_enabled = false');
    await expect.poll(() => service.metricsUrl).toBeUndefined();
    await expect(call(url)).rejects.toThrow();
  });

  it('says of every setting whether it is live', () => {
    const live = [...EVERY_SETTING.values()].filter((row) => row.use !== 'none' && row.live).map(({ name }) => name);
    expect(live).toEqual(expect.arrayContaining(['logLevel', 'webhookAllow', 'streamsMax', 'limits.tagsMax']));
    // These are copied when the service starts: a row that claims otherwise would be a promise that nobody keeps.
    for (const name of ['port', 'host', 'dataDir', 'adapter', 'config', 'headerBytesMax', 'limits.eventBytesMax'])
      expect(live).not.toContain(name);
  });
});

describe('the watch of a file', () => {
  async function watched(path: string, change: () => void): Promise<number> {
    let calls = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timers = { after: after(0), soon: (run: () => void) => setImmediate(run) };
    const onChange = () => {
      calls += 1;
      resolve();
    };
    const end = watchFile({ path, timers, onChange, onFailure: reject });
    onTestFinished(end);
    change();
    await promise;
    end();
    return calls;
  }

  /** Real time without the wait for a folder to come to rest. */
  const after = (delayMs: number) => (_delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };

  it('sees a file that is written, replaced, made, or swapped by a link beside it', async () => {
    const directory = temporaryFolder();
    const path = join(directory, 'settings.toml');
    expect(await watched(path, () => writeFileSync(path, 'port = 1'))).toBe(1);
    expect(await watched(path, () => writeFileSync(path, 'port = 2'))).toBeGreaterThan(0);
    writeFileSync(join(directory, 'new'), 'port = 3');
    expect(await watched(path, () => renameSync(join(directory, 'new'), path))).toBe(1);
    // What Kubernetes does with a ConfigMap.
    for (const version of ['1', '2']) {
      mkdirSync(join(directory, version));
      writeFileSync(join(directory, version, 'mounted.toml'), `port = ${version}`);
    }
    symlinkSync('1', join(directory, '..data'));
    symlinkSync('..data/mounted.toml', join(directory, 'mounted.toml'));
    const swap = () => {
      symlinkSync('2', join(directory, '..tmp'));
      renameSync(join(directory, '..tmp'), join(directory, '..data'));
    };
    expect(await watched(join(directory, 'mounted.toml'), swap)).toBe(1);
  });

  it('leaves its neighbours alone', async () => {
    const directory = temporaryFolder();
    const path = join(directory, 'settings.toml');
    writeFileSync(path, 'port = 1');
    const calls = await watched(path, () => {
      for (let n = 0; n < 50; n++) writeFileSync(join(directory, `other-${n}`), '');
      setImmediate(() => writeFileSync(path, 'port = 2'));
    });
    expect(calls).toBe(1);
  });

  it('says when a folder cannot be watched', () => {
    let failure: Error | undefined;
    const timers = { after: after(0), soon: () => {} };
    const onFailure = (error: Error) => {
      failure = error;
    };
    watchFile({ path: '/nowhere/at/all/settings.toml', timers, onChange: () => {}, onFailure })();
    expect(failure).toMatchObject({ code: 'ENOENT' });
  });
});
