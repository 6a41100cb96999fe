import { createServer, type Server } from 'node:net';
import type { buildConnector } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type AddressGuard, addressGuard, bareHost } from '../../src/address/address-guard.ts';
import { guardedConnector } from '../../src/address/guarded-connector.ts';
import type { Address } from '../../src/address/resolve-addresses.ts';
import { FORBIDDEN_ENDPOINTS } from './forbidden-endpoints.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
});

/** A listener on loopback that counts who reached it. */
async function canary(): Promise<{ port: number; hits: () => number }> {
  let hits = 0;
  const server = createServer((socket) => {
    hits += 1;
    socket.destroy();
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as { port: number }).port, hits: () => hits };
}

type Connector = ReturnType<typeof guardedConnector>;

function connect(connector: Connector, hostname: string, port = 80): Promise<Error | null> {
  return new Promise((done) => {
    connector({ hostname, host: `${hostname}:${port}`, protocol: 'http:', port: String(port) }, (error, socket) => {
      socket?.destroy();
      done(error);
    });
  });
}

/**
 * A connector that writes down what would be dialled instead of dialling: a guard that fails here must not reach anybody. Like
 * `net.connect` it asks `lookup` for names only.
 */
function recordingDialler(dialled: string[]): typeof buildConnector {
  return ((options: { lookup: (...args: never[]) => void }) =>
    ({ hostname }: { hostname: string }, callback: (error: Error, socket: null) => void) => {
      const lookup = options.lookup as unknown as (
        name: string,
        options: { all: true },
        done: (error: Error | null, addresses: Address[]) => void,
      ) => void;
      lookup(hostname, { all: true }, (error, addresses) => {
        if (error === null) for (const { address } of addresses) dialled.push(address);
        callback(error ?? new TypeError('recorded'), null);
      });
    }) as unknown as typeof buildConnector;
}

function recording(guard: AddressGuard, answers: readonly string[]) {
  const dialled: string[] = [];
  const resolve = async () => answers.map((address): Address => ({ address, family: address.includes(':') ? 6 : 4 }));
  const connector = guardedConnector({ guard, resolve, connectTimeoutMs: 1000, build: recordingDialler(dialled) });
  return { connector, dialled };
}

/** The literal addresses among the forbidden endpoints, as the URL parser spells them. */
const LITERALS = [
  ...new Set(
    FORBIDDEN_ENDPOINTS.map((endpoint) => bareHost(new URL(endpoint).hostname)).filter((host) =>
      /^[\d.]+$|:/.test(host),
    ),
  ),
];

describe('before a socket is opened', () => {
  it.each(LITERALS)('refuses the literal %s', async (address) => {
    const { connector, dialled } = recording(addressGuard(), [address]);
    expect(await connect(connector, address)).toMatchObject({ code: 'endpoint_blocked' });
    expect(dialled).toEqual([]);
  });

  it.each(LITERALS)('refuses a name that resolves to %s', async (address) => {
    const { connector, dialled } = recording(addressGuard(), [address]);
    expect(await connect(connector, 'innocent.example')).toMatchObject({ code: 'endpoint_blocked' });
    expect(dialled).toEqual([]);
  });

  it('refuses a name with one bad answer among good ones', async () => {
    const { connector, dialled } = recording(addressGuard(), ['1.1.1.1', '10.0.0.1', '2606:4700::1']);
    expect(await connect(connector, 'mixed.example')).toMatchObject({ code: 'endpoint_blocked' });
    expect(dialled).toEqual([]);
  });

  it('hands on exactly the addresses that were judged', async () => {
    const { connector, dialled } = recording(addressGuard(), ['1.1.1.1', '2606:4700::1']);
    await connect(connector, 'public.example');
    expect(dialled).toEqual(['1.1.1.1', '2606:4700::1']);
  });

  it('dials a trusted host wherever it leads', async () => {
    const { connector, dialled } = recording(addressGuard({ allow: ['aas.internal'] }), ['10.0.0.1']);
    await connect(connector, 'AAS.internal.');
    expect(dialled).toEqual(['10.0.0.1']);
  });
});

describe('with real sockets', () => {
  const toLoopback = async (): Promise<Address[]> => [{ address: '127.0.0.1', family: 4 }];

  it('never reaches a canary on loopback, by literal, by name or by localhost', async () => {
    const { port, hits } = await canary();
    const connector = guardedConnector({ guard: addressGuard(), resolve: toLoopback, connectTimeoutMs: 1000 });
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', 'localhost', 'a.localhost', 'innocent.example']) {
      expect(await connect(connector, host, port)).toMatchObject({ code: 'endpoint_blocked' });
    }
    expect(hits()).toBe(0);
  });

  it('reaches the same canary when loopback is allowed: the test can fail', async () => {
    const { port, hits } = await canary();
    const guard = addressGuard({ allow: ['loopback'] });
    const connector = guardedConnector({ guard, resolve: toLoopback, connectTimeoutMs: 1000 });
    for (const host of ['127.0.0.1', 'localhost', 'innocent.example'])
      expect(await connect(connector, host, port)).toBeNull();
    await expect.poll(hits).toBe(3);
  });

  it('is stopped by net.connect itself should the first net ever have a hole', async () => {
    const { port, hits } = await canary();
    let asked = 0;
    // Says yes to the first question, as a guard with a hole would, and no to the second, which is that of the block list.
    const holed: AddressGuard = { trusts: () => false, refuses: () => asked++ > 0 };
    const connector = guardedConnector({ guard: holed, resolve: toLoopback, connectTimeoutMs: 1000 });
    expect(await connect(connector, '127.0.0.1', port)).toMatchObject({ code: 'ERR_IP_BLOCKED' });
    asked = 0;
    expect(await connect(connector, 'innocent.example', port)).toMatchObject({ code: 'ERR_IP_BLOCKED' });
    expect(hits()).toBe(0);
  });
});
