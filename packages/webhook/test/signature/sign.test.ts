import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { generateSecret, readSecret } from '../../src/signature/secret.ts';
import { sign } from '../../src/signature/sign.ts';
import { verify } from '../../src/signature/verify.ts';

const secretOf = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
const secret = secretOf(32);
const nowSeconds = Math.floor(Date.now() / 1000);
const clockAt = (seconds: number) => ({ wallMs: () => seconds * 1000, monotonicMs: () => 0 });

function signed(body: string, secrets: readonly string[] = [secret], timestampSeconds = nowSeconds) {
  const bytes = Buffer.from(body);
  return { bytes, headers: sign({ id: 'event-1', timestampSeconds, body: bytes }, secrets.map(readSecret)) };
}

describe('against the public library', () => {
  it('makes 10,000 signatures that it accepts', () => {
    const library = new Webhook(secret);
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.uuid(), (body, id) => {
        const bytes = Buffer.from(body);
        const headers = sign({ id, timestampSeconds: nowSeconds, body: bytes }, [readSecret(secret)]);
        library.verify(body, headers, { jsonParse: false });
      }),
      { numRuns: 10_000 },
    );
  });

  it('accepts the signatures that it makes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 24, max: 64 }), (text, bytes) => {
        const body = Buffer.from(text).toString();
        const own = secretOf(bytes);
        const headers = {
          'webhook-id': 'event-1',
          'webhook-timestamp': String(nowSeconds),
          'webhook-signature': new Webhook(own).sign('event-1', new Date(nowSeconds * 1000), body),
        };
        expect(verify(Buffer.from(body), headers, [own], clockAt(nowSeconds))).toMatchObject({ valid: true });
      }),
      { numRuns: 500 },
    );
  });
});

describe('rotation', () => {
  it('signs with both secrets, and a receiver with either accepts', () => {
    const [fresh, old] = [secretOf(24), secretOf(64)];
    const { bytes, headers } = signed('{}', [fresh, old]);
    expect(headers['webhook-signature']!.split(' ')).toHaveLength(2);
    for (const known of [fresh, old]) {
      new Webhook(known).verify('{}', headers as never);
      expect(verify(bytes, headers, [known], clockAt(nowSeconds))).toMatchObject({ valid: true });
    }
    expect(verify(bytes, headers, [secretOf(32)], clockAt(nowSeconds))).toEqual({
      valid: false,
      reason: 'no_matching_signature',
    });
  });
});

describe('refusals', () => {
  it('refuses a body, id or timestamp that differs by one bit', () => {
    const { bytes, headers } = signed('{"amount":1}');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(verify(changed, headers, [secret], clockAt(nowSeconds))).toMatchObject({ valid: false });
    }
    expect(verify(bytes, { ...headers, 'webhook-id': 'event-2' }, [secret], clockAt(nowSeconds))).toMatchObject({
      valid: false,
    });
    const later = { ...headers, 'webhook-timestamp': String(nowSeconds + 1) };
    expect(verify(bytes, later, [secret], clockAt(nowSeconds))).toMatchObject({ valid: false });
  });

  it.each([
    [-301, false],
    [-300, true],
    [300, true],
    [301, false],
  ])('judges a clock that is %i s off: accepted %s', (offSeconds, valid) => {
    const { bytes, headers } = signed('{}');
    expect(verify(bytes, headers, [secret], clockAt(nowSeconds + offSeconds)).valid).toBe(valid);
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('refuses a request without %s', (name) => {
    const { bytes, headers } = signed('{}');
    expect(verify(bytes, { ...headers, [name]: undefined }, [secret], clockAt(nowSeconds))).toEqual({
      valid: false,
      reason: 'missing_header',
    });
  });

  it('refuses signatures of other versions, empty ones and shortened ones', () => {
    const { bytes, headers } = signed('{}');
    const good = headers['webhook-signature']!;
    for (const bad of ['', 'v1,', good.replace('v1,', 'v2,'), good.slice(3), good.slice(0, -1), 'v1,v1,v1']) {
      expect(verify(bytes, { ...headers, 'webhook-signature': bad }, [secret], clockAt(nowSeconds)).valid).toBe(false);
    }
  });
});

describe('secrets', () => {
  it.each([
    '',
    'whsec_',
    secretOf(23),
    secretOf(65),
    secretOf(32).slice(6),
    'whsec_not base64 at all, but long enough for it',
    `sk_${secretOf(32)}`,
  ])('refuses %j', (bad) => {
    expect(() => readSecret(bad)).toThrow(expect.objectContaining({ code: 'invalid_subscription' }));
  });

  it('makes secrets that it reads', () => {
    const made = generateSecret({ fraction: () => 0, fill: (into) => void into.fill(7) });
    expect(readSecret(made)).toEqual(Buffer.alloc(32, 7));
  });
});
