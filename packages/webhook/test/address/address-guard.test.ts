import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, it } from 'vitest';
import { addressGuard } from '../../src/address/address-guard.ts';

const guard = addressGuard();

it('refuses every IPv4 address that an independent table does not call public', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      if (ipaddr.parse(address).range() !== 'unicast') expect(guard.refuses(address)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

it('refuses every IPv6 address that an independent table does not call public', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      if (ipaddr.parse(address).range() !== 'unicast') expect(guard.refuses(address)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

it.each(['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '223.255.255.255', '2606:4700::1', '2a00:1450::1'])(
  'lets %s pass, so that it does not just refuse everything',
  (address) => {
    expect(guard.refuses(address)).toBe(false);
  },
);

it.each(['', 'example.com', '127.0.0.1.nip.io', 'fe80::1%eth0', '::ffff:1.1.1.1'])('refuses %j', (address) => {
  expect(guard.refuses(address)).toBe(true);
});

it.each([
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '::/129',
  'http://host/',
  'a b',
  '',
  '*.example.com',
  '10.0.0.0/x',
])('refuses the setting %j', (entry) => {
  expect(() => addressGuard({ allow: [entry] })).toThrow(expect.objectContaining({ code: 'invalid_setting' }));
});
