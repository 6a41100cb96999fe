import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const HEADER_BYTES = 12;

export interface Answer {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly cname?: string;
}

/** A DNS server on loopback whose answers have a time to live of 0, and a resolver that asks it alone. */
export async function dnsServer(answer: (name: string, type: 'A' | 'AAAA') => Answer): Promise<Resolver> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    const { a = [], aaaa = [], cname } = answer(name, type === TYPE_AAAA ? 'AAAA' : 'A');
    const records: Buffer[] = [];
    if (cname !== undefined) records.push(record(encodeName(name), TYPE_CNAME, encodeName(cname)));
    const owner = encodeName(cname ?? name);
    if (type === TYPE_A)
      for (const address of a) records.push(record(owner, TYPE_A, Buffer.from(address.split('.').map(Number))));
    if (type === TYPE_AAAA) for (const address of aaaa) records.push(record(owner, TYPE_AAAA, ipv6Bytes(address)));
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records]), from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  onTestFinished(() => void socket.close());
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return resolver;
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  while (query[at] !== 0) {
    const length = query[at]!;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function record(owner: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

/** Only addresses without `::` in the middle are needed here: `::` and four or fewer groups behind it. */
function ipv6Bytes(address: string): Buffer {
  const groups = address.replace('::', '').split(':').filter(Boolean);
  const bytes = Buffer.alloc(16);
  groups.forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - 2 * (groups.length - index));
  });
  return bytes;
}
