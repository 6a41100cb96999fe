import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { EventsReport } from '@event-manager/components';
import { describe, expect, it } from 'vitest';
import { collecting } from '../collecting.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { until } from '../until.ts';

describe('GET /health/events', () => {
  const freePort = async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { port, server, close: () => new Promise((done) => server.close(done)) };
  };

  it('is answered while events are on', async () => {
    const { port, close } = await freePort();
    await close();
    const { registry } = await collecting({ health: { enabled: true, port } });
    const ask = (path = '/health/events', method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
    await until(() =>
      ask().then(
        () => true,
        () => false,
      ),
    );
    registry.createExecutionContext().wrapTool('search', () => 1)();
    await registry.flush();
    expect(await (await ask()).json()).toMatchObject({
      status: 'ok',
      enabled: true,
      accepted: 2,
      published: 2,
      queued: 0,
    });
    expect([(await ask('/')).status, (await ask('/health/events', 'POST')).status]).toEqual([404, 404]);
    // A web page whose name was made to mean this machine after it was loaded.
    const foreign = get(`http://127.0.0.1:${port}/health/events`, { headers: { host: 'evil.example' } });
    const [refused] = (await once(foreign, 'response')) as [IncomingMessage];
    refused.resume();
    expect(refused.statusCode).toBe(403);
    await registry.disable();
    await until(() =>
      ask().then(
        () => false,
        () => true,
      ),
    );
    await registry.enable();
    await until(() =>
      ask().then(
        () => true,
        () => false,
      ),
    );
  });

  it('says that an export fails', async () => {
    const { port, close } = await freePort();
    await close();
    const { registry } = await collecting(
      { health: { enabled: true, port }, export: { file: join(temporaryFolder(), 'a', 'b.log') } },
      { onReport: () => {} },
    );
    registry.createExecutionContext().emit('a.b', {});
    await registry.flush();
    await until(() =>
      fetch(`http://127.0.0.1:${port}/health/events`).then(
        () => true,
        () => false,
      ),
    );
    const answer = (await (await fetch(`http://127.0.0.1:${port}/health/events`)).json()) as { status: string };
    expect(answer.status).toBe('degraded');
  });

  it('at a port that is in use is a warning, and events go on', async () => {
    const { port, close } = await freePort();
    const reports: EventsReport[] = [];
    const { registry, types } = await collecting(
      { health: { enabled: true, port } },
      { onReport: (report) => void reports.push(report) },
    );
    await until(() => reports.length > 0);
    expect(reports).toEqual([{ code: 'health_unavailable', text: expect.stringContaining('EADDRINUSE') }]);
    registry.createExecutionContext().wrapTool('search', () => 1)();
    expect((await types()).length).toBe(2);
    await close();
  });
});
