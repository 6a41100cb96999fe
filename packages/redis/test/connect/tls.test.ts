import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { systemRuntime } from '@event-manager/core';
import { redis } from '@event-manager/redis';
import { sampleEvents } from '@event-manager/testing/conformance';
import { createTestKeys, missingServer } from '@event-manager/testing/servers';
import { expect, it, onTestFinished } from 'vitest';
import { Link } from '../../src/connect/link.ts';
import { readUrl } from '../../src/connect/read-url.ts';

const run = promisify(execFile);

/** What any TLS server shows whose certificate nobody signed but itself. */
async function selfSigned(): Promise<{ key: string; cert: string } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'event-manager-tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const form = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const isMade = await run('openssl', [...form, '-keyout', key, '-out', cert, ...subject]).then(
    () => true,
    () => false,
  );
  return isMade ? { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') } : undefined;
}

it('encrypts what goes to rediss://, and trusts only whom Node trusts', async (context) => {
  const missing = await missingServer('redis');
  if (missing !== undefined) return context.skip(missing);
  const identity = await selfSigned();
  if (identity === undefined) return context.skip('openssl is missing');
  const { url, keyPrefix } = await createTestKeys();
  const { hostname, port, password } = new URL(url);
  const server = createServer(identity, (incoming) => {
    const outgoing = connectTcp(Number(port), hostname);
    for (const socket of [incoming, outgoing]) socket.on('error', () => {});
    incoming.pipe(outgoing).pipe(incoming);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const encrypted = `rediss://:${password}@localhost:${(server.address() as AddressInfo).port}`;

  expect(await stateAt(encrypted, keyPrefix)).toMatchObject({ isUp: false, reason: 'Redis cannot be reached.' });
  const store = () =>
    redis({ host: 'localhost', port: Number(new URL(encrypted).port), password, tls: true, keyPrefix });
  await expect(store().open()).rejects.toMatchObject({
    code: 'invalid_setting',
    message: 'The encryption of Redis is not what it must be (DEPTH_ZERO_SELF_SIGNED_CERT).',
  });
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, identity.cert]);
  onTestFinished(() => setDefaultCACertificates(trusted));
  expect(await stateAt(encrypted, keyPrefix)).toMatchObject({ isUp: true, policy: 'seen' });
  const adapter = store();
  await adapter.open();
  expect(await adapter.store.append(sampleEvents(1))).toMatchObject([{ status: 'stored' }]);
  await adapter.close();
  // The server speaks TLS alone there.
  expect(await stateAt(encrypted.replace('rediss', 'redis'), keyPrefix)).toMatchObject({ isUp: false });
});

/** After the first try. */
async function stateAt(url: string, keyPrefix: string): Promise<Link['state']> {
  const link = new Link({
    address: readUrl(url),
    runtime: systemRuntime,
    beat: () => ({ place: `${keyPrefix}all`, text: 'beat' }),
    onChange: () => {},
  });
  await link.start();
  const { state } = link;
  link.close();
  return state;
}
