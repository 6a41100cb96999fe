import { ATTACKS } from './attack-samples.ts';
import { SECOND_ATTACKS } from './second-attack-samples.ts';
import { UNUSUAL } from './unusual-samples.ts';

/** What a program may say by accident, and what of it nobody may read. */
export interface SecretSample {
  readonly family: string;
  readonly given: unknown;
  readonly secrets: readonly string[];
}

const VALUES = ['hunter2-Zq9', 'correcthorse', 'p@ss,w0rd;x', '9f8e7d6c', 'Tr0ub4dor&3'];
const KEYS = [
  'password',
  'passwd',
  'pwd',
  'secret',
  'token',
  'api_key',
  'apiKey',
  'x-api-key',
  'access_token',
  'refreshToken',
  'client_secret',
  'private_key',
  'AWS_SECRET_ACCESS_KEY',
  'DB_PASSWORD',
  'dbPassword',
  'authToken',
  'session_id',
  'encryption-key',
  'connection_string',
  'user_pin',
];
const FORMS: readonly ((key: string, value: string) => string)[] = [
  (key, value) => `login failed with ${key}=${value} at 10:15`,
  (key, value) => `rejected (${key}: ${value})`,
  (key, value) => `bad request {"user":"bob","${key}":"${value}"}`,
  (key, value) => `options { '${key}' => '${value}' }`,
  (key, value) => `usage: tool --${key} ${value} --verbose`,
  (key, value) => `env ${key.toUpperCase()}="${value}" node main.js`,
  (key, value) => `body {\\"${key}\\":\\"${value}\\"} was refused`,
  (key, value) => `config:\n  ${key}: '${value}'\n  other: 1`,
];

const JWT =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';
/** Written in two parts, so that no scanner of repositories takes them for real ones. */
const TOKENS = [
  JWT,
  `${'gh'}p_16C7e42F292c6912E7710c838347Ae178B4a`,
  `github${'_pat'}_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789`,
  `${'sk'}-proj-abcDEF123456ghiJKL789012`,
  `${'sk'}_live_4eC39HqLyjWDarjtT1zdp7dc`,
  `${'AK'}IAIOSFODNN7EXAMPLE`,
  `${'AI'}zaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe`,
  `${'xo'}xb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy`,
  `${'gl'}pat-Xy12_abcdEFGHijklmn`,
  `${'np'}m_abcdefghijklmnopqrstuvwxyz0123456789`,
  `${'SG'}.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr`,
  `${'h'}f_abcdefghijklmnopqrstuvwxyzABCDEFGH`,
  `${'SK'}d41d8cd98f00b204e9800998ecf8427e`,
  `${'whsec'}_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`,
  'd41d8cd98f00b204e9800998ecf8427e',
  '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY7',
  'Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA9xQ2vK8pL0',
  '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
  // Of their forms alone: what follows looks like a word.
  `${'ya'}29.abcdefghijklmnop`,
  `${'1/'}/0abcdefghijklmnop`,
  `${'GOC'}SPX-abcdefghijklmnop`,
  `${'dckr'}_pat_abcdefghijklmnop`,
  `${'AGE-SEC'}RET-KEY-ABCDEFGHIJ`,
  `${'hv'}s.abcdefghijklmnopqrstuvwxyz`,
  `${'xa'}pp-1-abcdefghijklmnop`,
  `${'sq0'}atp-abcdefghijklmnop`,
  `${'EA'}Aabcdefghijklmnopqrstuvwxyz`,
  `${'gh'}o_abcdefghijklmnopqrst`,
  `${'sk'}_test_abcdefghijklmnop`,
  `${'shp'}at_abcdefghijklmnopqrst`,
];
const PLACES: readonly ((token: string) => string)[] = [
  (token) => token,
  (token) => `the service refused ${token}.`,
  (token) => `cannot use (${token}) here`,
  (token) => `https://api.example.com/v1/items/${encodeURIComponent(token)}/rows?page=2`,
];

const HEADERS: readonly [unknown, string][] = [
  ['Authorization: Bearer abcdefgh', 'abcdefgh'],
  ['authorization: bearer AbC-123.xyz~456', 'AbC-123.xyz~456'],
  ['AUTHORIZATION: Basic YWxhZGRpbjpvcGVuc2VzYW1l', 'YWxhZGRpbjpvcGVuc2VzYW1l'],
  ['sent header YWxhZGRpbjpvcGVuc2VzYW1l to the server', 'YWxhZGRpbjpvcGVuc2VzYW1l'],
  ['Proxy-Authorization: Digest username="mallory7", response="6629fae4"', 'mallory7'],
  ['GET / with Bearer abc123def456', 'abc123def456'],
  ['Cookie: theme=dark; sid=s3cr3tc00kie; lang=en', 's3cr3tc00kie'],
  ['Set-Cookie: connect.sid=s%3Aj8fh2k; Path=/', 'j8fh2k'],
  [{ headers: { Authorization: 'Bearer plainvalue' } }, 'plainvalue'],
  [{ headers: { 'x-auth': 'dXNlcjpodW50ZXIy' } }, 'dXNlcjpodW50ZXIy'],
  [{ rawHeaders: ['Host', 'example.com', 'Authorization', 'Token plainvalue'] }, 'plainvalue'],
  [{ headers: [{ name: 'authorization', value: 'plainvalue' }] }, 'plainvalue'],
  ['curl -H "X-API-Key: plainvalue" https://example.com', 'plainvalue'],
  ["fetch({ headers: { 'authorization': 'plainvalue' } })", 'plainvalue'],
];

const CONNECTIONS: readonly [string, string][] = [
  ['postgres://alice7:s3cretpw@db.example.com:5432/orders?sslmode=require', 's3cretpw'],
  ['cannot reach postgresql://alice7:p%40ss-w0rd@10.0.0.5/db', 'p%40ss-w0rd'],
  ['mysql://root:toor-99@localhost/app', 'toor-99'],
  ['mongodb+srv://svc:m0ng0Pw@cluster0.abcde.mongodb.net/test', 'm0ng0Pw'],
  ['redis://:r3disPw@cache:6379/0', 'r3disPw'],
  ['rediss://default:r3disPw@cache:6380', 'r3disPw'],
  ['amqp://guest:gu3st@rabbit//vhost', 'gu3st'],
  ['jdbc:mysql://host/db?user=root&password=jdbcpw', 'jdbcpw'],
  ['jdbc:sqlserver://host;user=sa;password=jdbcpw;', 'jdbcpw'],
  ['Server=tcp:db.example.com,1433;User Id=sa;Password=sqlpw!1;Encrypt=true', 'sqlpw!1'],
  [
    'DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5a2V5a2V5a2V5;EndpointSuffix=core',
    'a2V5a2V5a2V5a2V5',
  ],
  ['Endpoint=sb://x.servicebus.example/;SharedAccessKeyName=Root;SharedAccessKey=c2hhcmVk', 'c2hhcmVk'],
  ['root:gopw77@tcp(127.0.0.1:3306)/app', 'gopw77'],
  ['https://bob:urlpw@example.com/path', 'urlpw'],
  ['ftp://bob:ftppw@files.example.com/a.txt', 'ftppw'],
  ['proxy http://user:pr0xypw@proxy:8080 refused', 'pr0xypw'],
  ['https://example.com/cb?code=1&access_token=plainvalue&state=x', 'plainvalue'],
  ['https://example.com/cb#id_token=plainvalue&state=x', 'plainvalue'],
  ['https://bucket.example.com/f?X-Amz-Signature=plainvalue&X-Amz-Date=1', 'plainvalue'],
  ['https://store.example.net/c?sv=2022&sig=plainvalue%3D&se=2026', 'plainvalue'],
  ['GET /login?user=bob&password=plainvalue HTTP/1.1', 'plainvalue'],
  ['redirect to https%3A%2F%2Fexample.com%2F%3Ftoken%3Dplainvalue', 'plainvalue'],
  ['https://hooks.slack.example/services/T00000000/B00000000/XyZ12aB34cD56eF78gH90iJk', 'XyZ12aB34cD56eF78gH90iJk'],
];

const ADDRESSES: readonly [string, string][] = [
  ['no account for alice@example.com', 'alice@'],
  ['From: Alice <alice.smith+shop@mail.example.co.uk>', 'alice.smith'],
  ['mailto:alice@example.com?subject=x', 'alice@'],
  ['to=alice@example.com,bob@example.org', 'bob@'],
  ['alice@example.com;carol@example.net', 'carol@'],
  ['user "alice@example.com" already exists', 'alice@'],
  ['/users/alice@example.com/orders', 'alice@'],
  ['https://example.com/u?email=alice%40example.com', 'alice%40'],
  ['ALICE@EXAMPLE.COM is locked', 'ALICE@'],
  ['jörg.müller@beispiel.de', 'müller@'],
  ["o'brien_77@example.com.", 'brien_77'],
  ['alice@example.com:carol@example.net', 'carol@'],
];

const CARDS = [
  '4111111111111111',
  '4111 1111 1111 1111',
  '4111-1111-1111-1111',
  '5500005555555559',
  '5500 0055 5555 5559',
  '340000000000009',
  '3400 000000 00009',
  '6011000000000004',
  '3530111333300000',
  '30569309025904',
  '2223003122003222',
];

const PATHS: readonly [string, string][] = [
  ["ENOENT: no such file, open '/home/alice/project/config.json'", 'alice'],
  ['cannot read /Users/alice/Library/x.plist', 'alice'],
  ['C:\\Users\\Alice Smith\\AppData\\Roaming\\app\\x.log is busy', 'Alice'],
  ['C:\\Users\\alice is missing', 'alice'],
  ['C:/Users/alice/x.txt', 'alice'],
  ['"C:\\\\Users\\\\alice\\\\x.txt"', 'alice'],
  ['c:\\documents and settings\\alice\\desktop\\x', 'alice'],
  ['at run (file:///home/alice/app/main.js:10:5)', 'alice'],
  ['at run (/home/alice/app/main.js:10:5)', 'alice'],
  ['\\\\fileserver01\\finance$\\budget.xlsx', 'fileserver01'],
  ['copy "\\\\\\\\fileserver01\\\\finance\\\\x" failed', 'fileserver01'],
  ['D:\\work\\x.txt', 'D:'],
  ['//home//alice/x', 'alice'],
  ['file:///C:/Users/alice/x.js:1:2', 'alice'],
  ['/root/.ssh/config', '/root'],
  ['/tmp/build-77/x', '/tmp/'],
  ['/private/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/x', 'zyxvpxvq6csfxvn'],
  ['/opt/app/../../home/alice/x', 'alice'],
  ['--config=/home/alice/app.toml', 'alice'],
  ['PATH=/home/alice/bin:/usr/bin:/home/carol/bin', 'carol'],
  ['git clone file:///home/alice/repo.git', 'alice'],
  ['C:\\Users\\alice\\AppData\\Local\\Temp\\x.tmp', 'alice'],
];

const PEM =
  '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAabcdefgh\nqrstuvwxyzABCDEFGH\n-----END RSA PRIVATE KEY-----';

const SPLIT: readonly [unknown, string][] = [
  [{ name: 'DB_PASSWORD', value: 'plainvalue' }, 'plainvalue'],
  [{ key: 'api-key', value: 'plainvalue' }, 'plainvalue'],
  [
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'SECRET', value: 'plainvalue' },
      ],
    },
    'plainvalue',
  ],
  [{ args: ['--user', 'bob', '--password', 'plainvalue', '-v'] }, 'plainvalue'],
  [{ argv: ['node', 'x.js', '--token=plainvalue'] }, 'plainvalue'],
  [{ a: { b: { c: { secret: { deep: 'plainvalue' } } } } }, 'plainvalue'],
  [{ credentials: { user: 'bob7', pass: 'plainvalue' } }, 'bob7'],
  [{ tokens: ['plainvalue', 'othervalue'] }, 'othervalue'],
  [{ pin: 4711 }, '4711'],
  [{ PassWord: 'plainvalue' }, 'plainvalue'],
  [{ 'pass word': 'plainvalue' }, 'plainvalue'],
  [{ password2: 'plainvalue' }, 'plainvalue'],
  [new Map([['secret', 'plainvalue']]), 'plainvalue'],
  [{ 'alice@example.com': 1 }, 'alice@'],
  [{ text: '{"password":"plainvalue"}' }, 'plainvalue'],
  [{ url: new URL('https://bob:plainvalue@example.com/') }, 'plainvalue'],
  [{ error: new TypeError('password=plainvalue') }, 'plainvalue'],
  [{ card: { number: '4111 1111 1111 1111' } }, '1111 1111'],
  [{ key: PEM }, 'MIIEowIBAAKCAQEAabcdefgh'],
  [PEM, 'qrstuvwxyzABCDEFGH'],
  [`${PEM.slice(0, 70)}`, 'MIIEowIBAAKCAQEAabcdefgh'],
  ['the password is hunter2', 'hunter2'],
  ['invalid password "correct horse"', 'correct horse'],
  ['API key: plainvalue was revoked', 'plainvalue'],
  ['client secret = plainvalue', 'plainvalue'],
  ['passphrase: correct horse battery staple', 'battery'],
  ['logged in as bob with password hunter2!', 'hunter2'],
  ['connection string: "Host=x;Username=u;Password=plainvalue"', 'plainvalue'],
];

const sample = (family: string, given: unknown, ...secrets: string[]): SecretSample => ({ family, given, secrets });

/** Some hundreds, of every family. */
export function secretSamples(): SecretSample[] {
  const assigned = KEYS.flatMap((key, at) =>
    FORMS.map((form, n) => {
      // Without quotes a space would end it, so none of the values has one.
      const value = VALUES[(at + n) % VALUES.length]!;
      return sample('assigned', form(key, value), value);
    }),
  );
  const nested = KEYS.map((key, at) => {
    const value = VALUES[at % VALUES.length]!;
    return sample('nested', { request: { list: [{ [key]: value }] } }, value);
  });
  const tokens = TOKENS.flatMap((token) =>
    PLACES.map((place) => sample('token', place(token), token, encodeURIComponent(token))),
  );
  const listed = (family: string, rows: readonly (readonly [unknown, string])[]) =>
    rows.map(([given, secret]) => sample(family, given, secret));
  return [
    ...assigned,
    ...nested,
    ...tokens,
    ...listed('header', HEADERS),
    ...listed('connection', CONNECTIONS),
    ...listed('address', ADDRESSES),
    ...CARDS.flatMap((card) => [sample('card', `paid with ${card} today`, card), sample('card', { note: card }, card)]),
    ...listed('path', PATHS),
    ...listed('split', SPLIT),
    ...listed('unusual', UNUSUAL),
    ...listed('attack', [...ATTACKS, ...SECOND_ATTACKS]),
  ];
}
