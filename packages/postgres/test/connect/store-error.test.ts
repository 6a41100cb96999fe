import { expect, it } from 'vitest';
import { storeError } from '../../src/connect/store-error.ts';
import { connect } from '../support/databases.ts';
import { withServer } from '../support/with-server.ts';

const STATES: readonly [string, string][] = [
  ['08006', 'store_unavailable'],
  ['25006', 'store_unavailable'],
  ['40001', 'store_unavailable'],
  ['40P01', 'store_unavailable'],
  ['53200', 'store_unavailable'],
  ['53300', 'store_unavailable'],
  ['55P03', 'store_unavailable'],
  ['57014', 'store_unavailable'],
  ['57P01', 'store_unavailable'],
  ['57P03', 'store_unavailable'],
  ['53100', 'disk_full'],
  ['22P05', 'store_failed'],
  ['23505', 'store_failed'],
  ['42P01', 'store_failed'],
  ['58030', 'store_failed'],
  ['XX001', 'store_failed'],
];

await withServer((server) => {
  it.each(STATES)('a server that answers %s is told as %s, without its words', async (sqlState, code) => {
    const client = await connect(server.url);
    const raised = `DO $$ BEGIN RAISE EXCEPTION 'secret /path' USING ERRCODE = '${sqlState}'; END $$`;
    const error = storeError(await client.query(raised).catch((caught: unknown) => caught));
    expect([error.code, error.kind, error.details['sqlState']]).toEqual([code, 'unavailable', sqlState]);
    expect(error.message).not.toMatch(/secret|path/);
    await client.end();
  });

  it('a way that leads nowhere is told without its address', async () => {
    const error = storeError(
      await connect('postgresql://name:word@127.0.0.1:1/none').catch((caught: unknown) => caught),
    );
    expect(error.code).toBe('store_unavailable');
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toMatch(/127|word|name/);
  });

  it('a mistake of the program is told as one', () => {
    expect(storeError(new TypeError('x')).code).toBe('internal');
  });
});
