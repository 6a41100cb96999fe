import { expect, it } from 'vitest';
import { Hosts } from '../../src/connect/hosts.ts';

it('takes a url with one host as it is', () => {
  const hosts = new Hosts('postgresql://user:w%40rd@one:5432/events?sslmode=require');
  expect([hosts.count, hosts.url]).toEqual([1, 'postgresql://user:w%40rd@one:5432/events?sslmode=require']);
});

it('goes from host to host, once for each choice that did not serve', () => {
  const hosts = new Hosts('postgres://user:word@one:1,[::1]:2,three/events?application_name=a,b');
  const seen = [hosts.url];
  const { turn } = hosts;
  hosts.passOver(turn);
  // Another connection that failed by the same host.
  hosts.passOver(turn);
  seen.push(hosts.url);
  hosts.passOver(hosts.turn);
  seen.push(hosts.url);
  hosts.passOver(hosts.turn);
  seen.push(hosts.url);
  const rest = '/events?application_name=a,b';
  const urls = ['one:1', '[::1]:2', 'three', 'one:1'].map((host) => `postgres://user:word@${host}${rest}`);
  expect(seen).toEqual(urls);
});
