/**
 * Every range of addresses that is not the public internet (IANA special-purpose address registries, RFC 6890), and the
 * addresses at which clouds keep their instances' credentials.
 */
export const SPECIAL_IPV4: readonly string[] = [
  '0.0.0.0/8', // "This network": Linux connects 0.0.0.0 to loopback.
  '10.0.0.0/8', // Private.
  '100.64.0.0/10', // Shared by carriers; Alibaba Cloud's metadata service is 100.100.100.200.
  '127.0.0.0/8', // Loopback.
  '168.63.129.16/32', // Azure's host agent, an address that looks public and is not.
  '169.254.0.0/16', // Link-local; the metadata service of most clouds.
  '172.16.0.0/12', // Private.
  '192.0.0.0/24', // Protocol assignments; Oracle Cloud's metadata service is 192.0.0.192.
  '192.0.2.0/24', // Documentation.
  '192.31.196.0/24', // AS112 sink.
  '192.52.193.0/24', // Multicast tunnels.
  '192.88.99.0/24', // Relays to 6to4.
  '192.168.0.0/16', // Private.
  '192.175.48.0/24', // AS112 sink.
  '198.18.0.0/15', // Benchmarks.
  '198.51.100.0/24', // Documentation.
  '203.0.113.0/24', // Documentation.
  '224.0.0.0/4', // Multicast.
  '240.0.0.0/4', // Reserved, and broadcast.
];

/**
 * Public unicast is 2000::/3 and nothing else, so all of the rest is named by three prefixes: loopback, unspecified,
 * IPv4-mapped and IPv4-compatible addresses, NAT64 (64:ff9b::), local, link-local and multicast lie there. An address that carries an
 * IPv4 address inside is never looked into: whoever translates it might be inside the network.
 */
export const SPECIAL_IPV6: readonly string[] = [
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23', // Protocol assignments: Teredo, benchmarks, ORCHID.
  '2001:db8::/32', // Documentation.
  '2002::/16', // 6to4.
  '2620:4f:8000::/48', // AS112 sink.
  '3ffe::/16', // The former 6bone.
  '3fff::/20', // Documentation.
];

export const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128'];
