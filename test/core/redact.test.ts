import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIDDEN, redactJson, redactText } from '../../lib/core/redaction/redact.ts';
import { isSensitiveKey } from '../../lib/core/redaction/sensitive-keys.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow/IBAAK+CAQEA\nabc=\n-----END RSA PRIVATE KEY-----';

describe('isSensitiveKey', () => {
  it.each([
    's3.secret-key',
    'fs.s3a.access.key',
    's3.access-key',
    'security.ssl.rest.keystore-password',
    'fs.azure.account.key.x.blob.core.windows.net',
    'metrics.reporter.dghttp.apikey',
    'properties.sasl.jaas.config',
    'flink.hadoop.http-headers',
    'AWS_SECRET_ACCESS_KEY',
    'awsSessionToken',
    'X-Amz-Security-Token',
    'authorization',
    'private_key',
  ])('%s', (key) => expect(isSensitiveKey(key)).toBe(true));

  it.each(['parallelism.default', 'jobmanager.memory.process.size', 'secretName', 'key', 'author', 'signatures'])(
    'not %s',
    (key) => expect(isSensitiveKey(key)).toBe(false),
  );
});

describe('redactText hides', () => {
  it.each([
    ['s3.secret-key: wJalrXUtnFEMI/K7MDENG', `s3.secret-key: ${HIDDEN}`],
    ['  db.password: correct horse battery', `  db.password: ${HIDDEN}`],
    ['-Ds3.secret-key=abc -Dparallelism.default=2', `-Ds3.secret-key=${HIDDEN} -Dparallelism.default=2`],
    ['run --db-password hunter2 --input a.txt', `run --db-password ${HIDDEN} --input a.txt`],
    ['{"password":"a \\" b","user":"bob"}', `{"password":"${HIDDEN}","user":"bob"}`],
    ['{"body":"{\\"password\\":\\"abc\\",\\"a\\":1}"}', `{"body":"{\\"password\\":\\"${HIDDEN}\\",\\"a\\":1}"}`],
    ['cannot connect: password=hunter2, user=bob', `cannot connect: password=${HIDDEN}, user=bob`],
    ['login failed, password: hunter2 for bob', `login failed, password: ${HIDDEN} for bob`],
    ["module required username='u' password='p w';", `module required username='u' password='${HIDDEN}';`],
    ['jdbc:postgresql://bob:s3cr3t@db:5432/x', `jdbc:postgresql://${HIDDEN}@db:5432/x`],
    [
      'https://b.s3.amazonaws.com/k?X-Amz-Credential=AK%2F2026&X-Amz-Date=2026&X-Amz-Signature=0af1',
      `https://b.s3.amazonaws.com/k?X-Amz-Credential=${HIDDEN}&X-Amz-Date=2026&X-Amz-Signature=${HIDDEN}`,
    ],
    ['GET / Authorization: AWS4-HMAC-SHA256 Credential=x, Signature=y', `GET / Authorization: ${HIDDEN}`],
    ['sent bearer abcdef0123456789', `sent bearer ${HIDDEN}`],
    [`claims ${JWT} end`, `claims ${HIDDEN} end`],
    ['key AKIAIOSFODNN7EXAMPLE is not known', `key ${HIDDEN} is not known`],
    ['password="abc def', `password="${HIDDEN}`],
    ['cause: login: password: abc', `cause: login: password: ${HIDDEN}`],
    ['session IQoJb3JpZ2luAbcdef0123456789abcdef', `session ${HIDDEN}`],
    [`a\n${PEM}\nb`, `a\n-----BEGIN RSA PRIVATE KEY-----${HIDDEN}-----END RSA PRIVATE KEY-----\nb`],
    ['tail/of+key=\n-----END PRIVATE KEY-----\nb', `${HIDDEN}-----END PRIVATE KEY-----\nb`],
    ['x -----BEGIN PRIVATE KEY-----\nMIIE', `x -----BEGIN PRIVATE KEY-----${HIDDEN}`],
  ])('%s', (text, expected) => expect(redactText(text)).toBe(expected));
});

describe('redactText keeps what explains a failure', () => {
  it.each([
    'org.apache.hadoop.security.token.SecretManager$InvalidToken: Token has expired',
    'org.apache.flink.table.planner.parse.TokenMgrError: Lexical error at line 1',
    'Unexpected token: EOF',
    'java.io.FileNotFoundException: File /no/such/file does not exist',
    'Error: secret "db-credentials" not found',
    'abfss://container@account.dfs.core.windows.net/data',
    's3://bucket/key?versionId=abc',
    'arn:aws:sqs:eu-west-1:123456789012:queue',
    'Job 6ac27d9e5b8f4a1f9d6a3c0b1e2d3f40 switched from state RUNNING to FINISHED.',
    'Basic authentication is off',
  ])('%s', (text) => expect(redactText(text)).toBe(text));
});

describe('redactJson', () => {
  it('hides values under sensitive keys, beside sensitive names and after sensitive flags', () => {
    expect(
      redactJson({
        env: [
          { name: 'DB_PASSWORD', value: 'x' },
          { name: 'HOME', value: '/' },
        ],
        config: [{ key: 's3.secret-key', value: 'x' }],
        args: ['--db.password', 'x', '--input', 'y'],
        'basic-auth': { user: 'u', list: [1, 'a'] },
        volumes: [{ name: 'v', secret: { secretName: 'certs' } }],
        text: 'password=abc',
        count: 3,
        none: null,
      }),
    ).toEqual({
      env: [
        { name: 'DB_PASSWORD', value: HIDDEN },
        { name: 'HOME', value: '/' },
      ],
      config: [{ key: 's3.secret-key', value: HIDDEN }],
      args: ['--db.password', HIDDEN, '--input', 'y'],
      'basic-auth': { user: HIDDEN, list: [HIDDEN, HIDDEN] },
      volumes: [{ name: 'v', secret: { secretName: 'certs' } }],
      text: `password=${HIDDEN}`,
      count: 3,
      none: null,
    });
  });
});

const word = fc.stringMatching(/^[a-z0-9]{8,20}$/).map((text) => `S3CR3T${text}`);
const key = fc.constantFrom('password', 's3.secret-key', 'AWS_SESSION_TOKEN', 'api_key', 'my.jaas.config', 'accessKey');
const around = fc.string({ unit: fc.constantFrom(' ', '\n', ',', 'a', 'Z', '7', '{', '}', ';', '\t', '(', ')') });
const form = fc.constantFrom(
  (k: string, v: string) => `${k}=${v}`,
  (k: string, v: string) => `${k}: ${v}`,
  (k: string, v: string) => `${k} = "${v}"`,
  (k: string, v: string) => JSON.stringify({ [k]: v }),
  (k: string, v: string) => JSON.stringify(JSON.stringify({ [k]: v })),
  (k: string, v: string) => `--${k} ${v}`,
  (k: string, v: string) => `-D${k}='${v}'`,
  (_k: string, v: string) => `https://user:${v}@host/path`,
  (_k: string, v: string) => `https://host/path?a=b&X-Amz-Signature=${v}&c=d`,
  (_k: string, v: string) => `Authorization: Bearer ${v}`,
);
const noise = fc.string({
  unit: fc.constantFrom(
    'a',
    ':',
    '=',
    '"',
    "'",
    '\\',
    '-',
    '.',
    '/',
    '@',
    ' ',
    '\n',
    'token',
    'password',
    'eyJ',
    'PRIVATE KEY-----',
    '-----BEGIN ',
    '-----END ',
    '*',
    '$',
    '1',
  ),
  maxLength: 60,
});

describe('properties', () => {
  it('no planted secret comes through', () => {
    fc.assert(
      fc.property(around, key, word, form, around, (before, name, secret, write, after) => {
        expect(redactText(`${before} ${write(name, secret)} ${after}`)).not.toContain(secret);
      }),
    );
  });

  it('no secret comes through in JSON, wherever it lies', () => {
    fc.assert(
      fc.property(key, word, fc.array(fc.constantFrom('a', 'b', 0)), (name, secret, path) => {
        const value = path.reduce<unknown>((inner, step) => (step === 0 ? [inner] : { [step]: inner }), {
          [name]: [secret],
        });
        expect(JSON.stringify(redactJson(value))).not.toContain(secret);
      }),
    );
  });

  it('a second time changes nothing', () => {
    fc.assert(
      fc.property(noise, (text) => {
        const once = redactText(text);
        expect(redactText(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });

  it('text without a secret stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '1', '/', '.') }), (text) => {
        expect(redactText(text)).toBe(text);
      }),
    );
  });

  it.each([
    'eyJ',
    'eyJ-',
    'eyJaaaaaa.',
    'a',
    'token',
    'password:',
    'password="',
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    'http://',
    'http://a:',
    'bearer ',
    'authorization:',
    '--password ',
    "'",
    '\\',
    ' ',
    '\n',
    'a:\\"',
    'Signature=',
    'AKIA',
    'a.',
    '"a": ',
  ])('is linear in repetitions of %j', (unit) => {
    const time = (length: number): number => {
      const text = unit.repeat(Math.ceil(length / unit.length));
      const from = performance.now();
      redactText(text);
      return performance.now() - from;
    };
    time(1000);
    // quadratic work on 400,000 characters takes many seconds
    expect(time(400_000)).toBeLessThan(1500);
  });
});
