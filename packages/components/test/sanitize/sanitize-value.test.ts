import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capture } from '../../src/sanitize/capture.ts';
import { sanitizeText } from '../../src/sanitize/sanitize-text.ts';
import { sanitizeValue } from '../../src/sanitize/sanitize-value.ts';
import { ORDINARY_TEXTS } from './ordinary-texts.ts';
import { secretSamples } from './secret-samples.ts';

const written = (value: unknown) => JSON.stringify(sanitizeValue(capture(value)));

/** A leak here is a secret in a log file. */
describe('secrets', () => {
  it('are gone from every one of some hundreds of samples', () => {
    const samples = secretSamples();
    const leaked = samples.flatMap(({ family, given, secrets }) => {
      const result = written(given);
      const found = secrets.filter((secret) => result.includes(JSON.stringify(secret).slice(1, -1)));
      return found.length === 0 ? [] : [{ family, given, result }];
    });
    process.stdout.write(`${JSON.stringify({ samples: samples.length, leaked: leaked.length })}\n`);
    expect(samples.length).toBeGreaterThan(800);
    expect(leaked).toEqual([]);
  });

  it('are in every sample before', () => {
    // What takes no room is gone from results, so that a secret with it inside could not be found there.
    const visible = (text: string) => text.replace(/[\u200b-\u200f\u2060\u00ad\ufeff]/g, '');
    const without = secretSamples().filter(({ given, secrets }) => {
      const text = visible(JSON.stringify(capture(given)));
      return !secrets.some((secret) => text.includes(visible(JSON.stringify(secret).slice(1, -1))));
    });
    expect(without).toEqual([]);
  });

  it('are gone at once: what was sanitized stays as it is', () => {
    const texts = secretSamples().map(({ given }) => (typeof given === 'string' ? given : JSON.stringify(given)));
    const changed = [...texts, ...ORDINARY_TEXTS].map(sanitizeText).filter((text) => sanitizeText(text) !== text);
    expect(changed).toEqual([]);
  });

  it('are gone whole where a comma or a bar is part of them, and what is named behind them stays', () => {
    expect(sanitizeText('password=ab,cd;ef|gh at 10:15')).toBe('password=[redacted] at 10:15');
    expect(sanitizeText('password=ab;host=db.local;port=5432')).toBe('password=[redacted];host=db.local;port=5432');
    expect(sanitizeText('https://x.example/?token=ab%20cd&page=2')).toBe('https://x.example/?token=[redacted]&page=2');
  });

  it('are gone from names of fields, and no field takes the place of another', () => {
    const [one, other] = ['a', 'b'].map((end) => `${'gh'}p_16C7e42F292c6912E7710c838347Ae178B4${end}`);
    expect(sanitizeValue({ [one!]: 1, [other!]: 2, '[redacted]': 3, plain: 4 })).toEqual({
      '[redacted]': 1,
      '[redacted] 2': 2,
      '[redacted] 3': 3,
      plain: 4,
    });
  });

  it('are gone from JSON in a text', () => {
    for (const { given, secrets } of secretSamples()) {
      const json = JSON.stringify(given instanceof Map ? Object.fromEntries(given) : given);
      for (const text of [json, `400: ${json} (see [log])`, `{not json} ${json}`]) {
        const result = sanitizeText(text);
        expect(secrets.filter((secret) => result.includes(JSON.stringify(secret).slice(1, -1)))).toEqual([]);
      }
    }
    const harmless = 'answered { "a": [1, 2], "text": "x y" } in 5 ms';
    expect(sanitizeText(harmless)).toBe(harmless);
  });

  it('are gone whatever stands around them', () => {
    const words = fc.array(fc.constantFrom('the', 'order', '17', 'failed:', '(see', 'log)', '"quoted"', '\n', 'a=b'), {
      maxLength: 6,
    });
    const samples = secretSamples().filter(({ given }) => typeof given === 'string');
    fc.assert(
      fc.property(fc.constantFrom(...samples), words, words, ({ given, secrets }, before, after) => {
        const text = `${before.join(' ')} ${given as string} ${after.join(' ')}`;
        expect(secrets.filter((secret) => sanitizeText(text).includes(secret))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are gone however deep they lie', () => {
    const samples = secretSamples().slice(0, 60);
    const nested = (depth: number, value: unknown): unknown =>
      depth === 0 ? value : [{ at: nested(depth - 1, value) }];
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat({ max: 4 }), ({ given, secrets }, depth) => {
        const result = written(nested(depth, given));
        expect(secrets.filter((secret) => result.includes(JSON.stringify(secret).slice(1, -1)))).toEqual([]);
      }),
    );
  });
});

/** What an operator needs to find out what happened. */
const ORDINARY = [
  'The order 17 was not found.',
  'Unexpected end of JSON input',
  'Unexpected token < in JSON at position 0',
  'connect ECONNREFUSED 10.0.0.5:5432',
  'getaddrinfo ENOTFOUND api.example.com',
  "Cannot read properties of undefined (reading 'items')",
  'Request failed with status code 503',
  'timeout of 5000 ms exceeded after 3 retries',
  'password is required',
  'the token has expired',
  'invalid token',
  'a secret must have 24 to 64 bytes',
  'Basic authentication is not supported',
  'The bearer of this ticket may enter.',
  'max_tokens: 4096, temperature: 0.7',
  'used 1200 input tokens and 300 output tokens',
  'key not found: users/42',
  'event 01a1fee6-de28-757b-9dcc-6b1df9c68a7b was accepted at 2026-11-21T16:18:25.448Z',
  'at run (src/agents/planner.ts:10:5)',
  'at async Promise.all (index 0)',
  'at node:internal/process/task_queues:95:5',
  'npm install @event-manager/core@0.1.0 failed',
  'see https://example.com/docs/guide.html?page=2#install',
  'GET https://api.example.com/v1/orders/17 404',
  'took 1.5 s, 42 % done, 3/4 steps',
  'SELECT * FROM orders WHERE id = 17',
  'the author of gridlines is Sidney',
  'file.access of report.pdf was denied',
  'a/b/c and ./lib/index.js and ../x',
  'e = mc^2; 1 < 2 && 3 > 2',
  'version 1.2.3-beta.4+build.5',
  'handleHttp2ServerResponseAfterTimeout threw',
  'internationalization',
  'the phone rang at 10:15',
  'Größe überschritten: 12 €',
  'DE89370400440532013001 has wrong check digits',
  'ba84589e-e3c6-718c-b333-000000000000',
  'password for bob: too short',
  'the token for order 17 is late: no answer from the host',
  'passwordPolicy=strict, tokenCount=3',
  'npm run build -port and -p later',
  'mysql is away, try again',
  'https://example.com/webhooks/17/deliveries',
  '/app/src/home/index.ts and /srv/www/index.html',
  'a %2Fb%2Fc was asked for',
  'foo@1.2.3 and "foo"@2',
];

describe('ordinary texts', () => {
  it.each([...ORDINARY, ...ORDINARY_TEXTS])('stay as they are: %s', (text) => {
    expect(sanitizeText(text)).toBe(text);
  });

  it('stay as they are, whatever words they are made of', () => {
    const word = fc.oneof(
      fc
        .stringMatching(/^[a-z]{1,14}$/)
        .filter(
          (text) =>
            !/pass|pwd|token|secret|key|auth|cookie|sid|pin|sig|cred|basic|bearer|digest|hawk|ntlm|dsn|jwt|otp|cvv|cvc|ssn|iban|pw|mnemonic|mdp|psk|[cx]srf|clave|senha|heslo|haslo|sifre|jeton/.test(
              text,
            ),
        ),
      fc.integer({ min: -99_999, max: 999_999_999 }).map(String),
      fc.uuid(),
      fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }).map((n) => n.toFixed(2)),
      fc.constantFrom(
        '(',
        ')',
        '-',
        '"',
        ',',
        'src/a.ts:1:2',
        'ECONNRESET',
        '10:15',
        '100%',
        'https://example.com/a?b=1',
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const text = words.join(' ');
        expect(sanitizeText(text)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of other values stay, and numbers beside plural names count something', () => {
    const given = {
      usage: { max_tokens: 100, tokens: 3 },
      ok: true,
      none: null,
      password: null,
      list: [1, 'two'],
      at: 'x',
    };
    expect(sanitizeValue(given)).toEqual(given);
  });
});

describe('paths', () => {
  it.each([
    ["open '/home/alice/p/x.json'", "open '~/p/x.json'"],
    ['C:\\Users\\Alice Smith\\AppData\\Roaming\\x.log is busy', '~/AppData/Roaming/x.log is busy'],
    ['C:\\Users\\alice\\AppData\\Local\\Temp\\x.tmp', '<tmp>/x.tmp'],
    ['D:\\work\\x.txt', '<drive>/work/x.txt'],
    ['\\\\srv\\share\\a\\b.txt', '<share>/a/b.txt'],
    ['/opt/app/../lib/./x.js', '/opt/lib/x.js'],
    ['/tmp/a/b', '<tmp>/a/b'],
    ['at file:///home/alice/app/main.js:10:5', 'at file://~/app/main.js:10:5'],
    ['PATH=/home/alice/bin:/usr/bin', 'PATH=~/bin:/usr/bin'],
  ])('are normalized: %s', (given, normal) => {
    expect(sanitizeText(given)).toBe(normal);
  });
});

describe('the work', () => {
  /** Texts on which something that goes back over what it read takes the square of their length. */
  const units = [
    'a@',
    '@',
    'a:',
    'password',
    'password ',
    '=',
    '"',
    '\\',
    '\\\\a',
    '/',
    '/.',
    '//',
    'C:\\',
    '%40',
    '4',
    '4 ',
    '://',
    '-----BEGIN ',
    ' ',
    'eyJ',
    '!\\\\a',
    '%2Fhome',
    '%2Fhome%2F%41',
    '%25',
    '/net/a',
    'a@[1',
    '"a',
    '"a"@a',
    'DE89 ',
    'DE89',
    'hooks.slack.com/services/',
    'a-',
    'mysql -p ',
    'password for ',
    '&',
    '.',
    ...[
      '(at)',
      'a(at)b(dot)',
      'a at b dot ',
      'a@ ',
      '-at-',
      'a-at-',
      '(dot)(at)',
      '%3D',
      '%20',
      '%41',
      '%2525',
      '%7B',
      '%22',
    ],
    ...[
      '-home-',
      '_home_a_',
      '%home%a%',
      '&#64;',
      '&lt;/',
      '\\x40',
      '\u200b',
      'a\u200b',
      'p\u0430ss',
      '«',
      'password «',
    ],
    ...['[a]', '{"n":"\\"', 'user[password]', 'password|', 'password;', 'password=a,', 'INSERT password VALUES ('],
    ...[
      'auth("',
      'curl -b ',
      'ssh a@b ',
      'a@b:/',
      '/run/a',
      '/wsl$/',
      '\\Users\\',
      '>/home/a',
      'a:1:b:c:d',
      'jdbc:a:b:',
    ],
    ...[
      '---- BEGIN ',
      'PuTTY-User-Key-File',
      'password：',
      'password—',
      'cookie=a;',
      'authorization:Bearer',
      '6162',
      'YWJj',
    ],
  ];

  it('grows with the length of the text and nothing else', () => {
    const cpuMs = () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1_000;
    };
    // Beyond the bound of a text nothing is looked at, so the longest text is the worst. It takes a millisecond or two of the thread's
    // own time; going back over what was read took 70 where that was tried.
    const slow = units.flatMap((unit) => {
      const text = unit.repeat(Math.ceil(4_096 / unit.length)).slice(0, 4_096);
      const beganMs = cpuMs();
      for (let n = 0; n < 10; n++) sanitizeText(text);
      const eachMs = (cpuMs() - beganMs) / 10;
      return eachMs > 30 ? [{ unit, eachMs }] : [];
    });
    expect(slow).toEqual([]);
  });

  it('is bounded whatever a program hands over, and nothing of it throws', () => {
    const circular: Record<string, unknown> = { name: 'x' };
    circular['self'] = circular;
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const strange: unknown[] = [
      circular,
      revoked.proxy,
      Object.defineProperty({ a: 1 }, 'b', {
        enumerable: true,
        get: () => {
          throw new TypeError('no');
        },
      }),
      JSON.parse('{"__proto__":{"polluted":1}}'),
      Array.from({ length: 100_000 }, (_, n) => n),
      Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, { n }])),
      'x'.repeat(1_000_000),
      '\ud800',
      [Number.NaN, 10n, () => 1, Symbol('s'), undefined, new Uint8Array(5), new Date(Number.NaN)],
    ];
    for (const each of strange) expect(written(each).length).toBeLessThan(50_000);
    expect(written(circular)).toBe('{"name":"x","self":"[circular]"}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
