import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Secret } from '../crypto/secret.ts'
import { asLogin, withoutPassword } from './login-address.ts'
import {
  AddressMistake,
  eachHost,
  type PostgresAddress,
  readAddress,
  writeAddress,
} from './postgres-address.ts'

const plain = ({ password, ...rest }: PostgresAddress) => ({
  ...rest,
  password: password?.revealText() ?? null,
})
const read = (text: string) => plain(readAddress(text))

const name = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .filter((text) => !/[\0\ud800-\udfff]/.test(text))
const host = fc.oneof(
  fc.constantFrom(
    'db.example.com',
    'localhost',
    '10.0.0.7',
    '::1',
    'fe80::2',
    '/var/run/postgresql',
    '/cloudsql/p:r:i',
  ),
  fc.stringMatching(/^[a-z][a-z0-9.-]{0,10}$/),
)
const port = fc.option(fc.integer({ min: 1, max: 65_535 }))
const address: fc.Arbitrary<PostgresAddress> = fc.record(
  {
    hosts: fc.array(fc.record({ host, port }, { noNullPrototype: true }), { maxLength: 4 }),
    user: fc.option(name),
    password: fc.option(name.map((text) => Secret.fromText(text))),
    database: fc.option(name),
    parameters: fc.dictionary(
      fc.constantFrom('application_name', 'options', 'sslrootcert', 'pgbouncer'),
      name,
      { noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
)

test('what is written is read again, whatever is in it', () => {
  fc.assert(
    fc.property(address, (given) => {
      assert.deepEqual(read(writeAddress(given)), plain(given))
    }),
    { numRuns: 2_000 },
  )
})

test('a login made of any address connects as that login, and to the same place', () => {
  fc.assert(
    fc.property(address, (given) => {
      const owner = Secret.fromText(writeAddress(given))
      const login = read(asLogin(owner, 'nobody', 'cream', Secret.fromText('secret')).revealText())
      assert.deepEqual(
        [login.user, login.password, login.hosts, login.database],
        ['cream', 'secret', given.hosts, given.database ?? 'nobody'],
      )
      assert.equal(read(withoutPassword(owner)).password, null)
    }),
    { numRuns: 500 },
  )
})

test('no text makes it fail otherwise than with a sentence that shows nothing of the text', () => {
  fc.assert(
    fc.property(
      fc.string().map((text) => `postgres://u:${text}`),
      (text) => {
        try {
          readAddress(text)
        } catch (error) {
          assert.ok(error instanceof AddressMistake)
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

describe('the forms that libpq takes', () => {
  const forms: Record<string, Partial<ReturnType<typeof read>>> = {
    'postgres://u:p@h:1/d': {
      hosts: [{ host: 'h', port: 1 }],
      user: 'u',
      password: 'p',
      database: 'd',
    },
    'postgresql://u@h/d': { hosts: [{ host: 'h', port: null }], password: null },
    'postgres:///d?host=/sock&user=postgres&password=x': {
      hosts: [{ host: '/sock', port: null }],
      user: 'postgres',
      password: 'x',
      database: 'd',
    },
    'postgres://u:p@/d?host=/cloudsql/a:b:c': {
      hosts: [{ host: '/cloudsql/a:b:c', port: null }],
      user: 'u',
    },
    'postgres://u:p@%2Fsock:5433/d': { hosts: [{ host: '/sock', port: 5433 }] },
    'postgres://u@a:1,b:2,[::1]:3/d': {
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: '::1', port: 3 },
      ],
    },
    'postgres://u@/d?host=a,b&port=5': {
      hosts: [
        { host: 'a', port: 5 },
        { host: 'b', port: 5 },
      ],
    },
    'postgres://u@h/d?dbname=other&port=7': { database: 'other', hosts: [{ host: 'h', port: 7 }] },
    'postgres://u:p%40%2F%3A@h/a%20b': { password: 'p@/:', database: 'a b' },
    'postgres://u:p#q@h/d': { password: 'p#q' },
    'postgres://h': { hosts: [{ host: 'h', port: null }], user: null, database: null },
    'postgres://': { hosts: [] },
    'postgres:///d': { hosts: [], database: 'd' },
    "host=localhost port=5432 dbname=app user=ada password='it\\'s \\\\ here'": {
      hosts: [{ host: 'localhost', port: 5432 }],
      user: 'ada',
      password: "it's \\ here",
      database: 'app',
    },
    'host = a,b  dbname = d': {
      hosts: [
        { host: 'a', port: null },
        { host: 'b', port: null },
      ],
      database: 'd',
    },
    'postgres://u:p@h/d?sslmode=verify-full&sslrootcert=system&channel_binding=require': {
      parameters: { sslmode: 'verify-full', sslrootcert: 'system', channel_binding: 'require' },
    },
  }
  for (const [text, expected] of Object.entries(forms))
    test(text, () => {
      const found = read(text)
      for (const [part, value] of Object.entries(expected))
        assert.deepEqual(found[part as keyof typeof found], value, part)
    })
})

describe('what is a mistake says so, and shows nothing of it', () => {
  const mistakes: Record<string, RegExp> = {
    'mysql://u:hidden@h/d': /is an address such as postgres:/,
    localhost: /is an address such as postgres:/,
    '': /is an address such as postgres:/,
    'postgres://u:hidden/part@h/d': /port that is no number.*%2F/,
    'postgres://u:hidden@h:0/d': /port/,
    'postgres://u:hidden@h:70000/d': /port/,
    'postgres://u:hid%zzden@h/d': /% that stands for nothing/,
    'postgres://u:hid%00den@h/d': /%00/,
    'postgres://u:hidden@a:1,b:2/d?port=1,2,3': /2 hosts and 3 ports/,
    'postgres://u:hidden@h/d?sslmode=verify_full': /sslmode that is none of/,
    'postgres://u:hidden@h/d?sslmod=verify-full': /is that sslmode\?/,
    'postgres://u:hidden@h/d?sslrootcer=x': /is that sslrootcert\?/,
    'postgres://u:hidden@h/d?target_session_attrs=standby': /target_session_attrs that is none of/,
    'postgres://u:hidden@h/d?service=x': /service=…, which Pie does not read/,
    'postgres://u:hidden@h/d?sslmode': /name=value/,
    'postgres://u:hidden@h/d?toString=1': /has toString=…, which Pie cannot honour/,
    'postgres://u:hidden@h/d?binary=true': /has binary=…, which Pie cannot honour/,
    'postgres://u:hidden@h/d?types=x': /has types=…, which/,
    'postgres://u:hidden@h/d?pipeline=true': /has pipeline=…, which/,
    'postgres://u:hidden@h/d?query_timeout=1': /has query_timeout=…, which/,
    'postgres://u:hidden@h/d?connectionString=postgres://other/': /has connectionString=…, which/,
    'postgres://u:hidden@h/d?replication=database': /has replication=…, which/,
    'postgres://u:hidden@h/d?max=1': /has max=…, which/,
    'postgres://u:hidden@h/d?min=1': /has min=…, which/,
    'postgres://u:hidden@h/d?stream=x': /has stream=…, which/,
    'postgres://u:hidden@h/d?requirepeer=x': /has requirepeer=…, which/,
    'postgres://u:hidden@h/d?require_auth=scram-sha-256': /has require_auth=…, which/,
    'postgres://u:hidden@h/d?statement_timeout=1': /written options=/,
    'postgres://u:hidden@h/d?client_encoding=LATIN1': /client_encoding that is none of/,
    'postgres://u:1?hidden=hidden@h/d': /write .* as %2F %3A %3F/,
    'host=h passwrod=hidden': /is that password\?/,
    "host=h password='hidden": /is an address such as/,
  }
  for (const [text, says] of Object.entries(mistakes))
    test(text || 'nothing', () => {
      assert.throws(
        () => readAddress(text),
        (error) =>
          error instanceof AddressMistake &&
          says.test(error.message) &&
          !/hidden/.test(error.message),
      )
    })
})

test('each of several hosts is an address of its own', () => {
  const several = readAddress('postgres://u:p@a:1,b:2/d?sslmode=require')
  assert.deepEqual(eachHost(several).map(writeAddress), [
    'postgres://u:p@a:1/d?sslmode=require',
    'postgres://u:p@b:2/d?sslmode=require',
  ])
})
