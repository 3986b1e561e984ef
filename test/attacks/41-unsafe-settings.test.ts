import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { OperatorError } from '../../server/src/ground/errors.ts'
import { readConfig } from '../../server/src/settings/read-config.ts'

const goodKey = 'pX4vR8mK2nQ7wT1zB6cJ9dL3sF5gH0yA'

/** The message with which Pie refuses to start. */
function refusalOf(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof OperatorError, inspect(error))
    return error.message
  }
  assert.fail(`would have started with ${JSON.stringify(environment)}`)
}

const production = { SERVICE_DOMAIN: 'https://auth.example.com' }

describe('in production', () => {
  test('a missing SECRET_KEY is named, with the command that makes one', () => {
    for (const environment of [production, { ...production, SECRET_KEY: '  ' }]) {
      const message = refusalOf(environment)
      assert.match(message, /SECRET_KEY has to be set/)
      assert.match(message, /openssl rand/)
    }
    assert.equal(readConfig({ ...production, SECRET_KEY: goodKey }).isProduction, true)
  })
})

describe('a SECRET_KEY', () => {
  const weak = {
    'a word': 'hunter2',
    '31 characters': goodKey.slice(1),
    'one character repeated': 'a'.repeat(64),
    'a few characters repeated': 'abc123'.repeat(10),
    'left as the example has it': 'change-me-change-me-1234567890-change-me',
    'called what it is': 'my-very-long-SECRET_KEY-0123456789-abcdef',
    'a password in name': 'this-is-the-Password-of-our-service-42',
    'of an example': 'example-0123456789-abcdefghijklmnop',
    'weak beside a good one': `${goodKey},short`,
    'nothing beside a good one': `${goodKey},`,
    'nothing before a good one': `,${goodKey}`,
    'digits, counted': '12345678901234567890123456789012',
    'letters, counted': 'abcdefghijklmnopqrstuvwxyz012345',
    'every second letter': 'acegikmoqsuwyACEGIKMOQSUWY024681',
    'hexadecimal digits, counted twice': '0123456789abcdef0123456789abcdef',
    'the rows of a keyboard': 'qwertyuiopasdfghjklzxcvbnm123456',
    'pairs, counted': 'a1b2c3d4e5f6g7h8i9j0a1b2c3d4e5f6',
    'a placeholder': '<your-secret-key-of-32-characters-or-more>',
  }
  for (const [kind, key] of Object.entries(weak)) {
    test(`is refused, anywhere, and not repeated, when it is ${kind}`, () => {
      for (const domain of [production, { SERVICE_DOMAIN: 'http://localhost:3000' }]) {
        const message = refusalOf({ ...domain, SECRET_KEY: key })
        assert.match(message, /SECRET_KEY is 32 random characters or more/)
        assert.equal(message.includes(key), false)
      }
    })
  }
})

test('a SECRET_KEY out of any generator of random ones is taken', () => {
  for (let run = 0; run < 500; run += 1)
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      const key = randomBytes(33).toString(encoding)
      assert.doesNotThrow(() => readConfig({ SECRET_KEY: key }), key)
    }
})

describe('mistaken settings', () => {
  const mistaken = {
    SOCKET: '127.0.0.1',
    SERVICE_DOMAIN: 'auth.example.com',
    SECRET_KEY: 'short',
    DATABASE_URL: 'mysql://root@localhost/pie',
    DIRECT_DATABASE_URL: 'localhost',
    AUTH_DATABASE_URL: 'pie_auth',
    REQUEST_DATABASE_URL: 'http://localhost',
    DATABASE_CONNECTIONS: '0',
    REGISTRATION: 'yes',
    PASSWORD_MIN_LENGTH: '4',
    ACCESS_TOKEN_TTL: '30 minutes',
    REFRESH_TOKEN_TTL: '-1',
    SESSION_ABSOLUTE_TTL: '0',
    TRUSTED_PROXIES: 'everybody',
    LOG_LEVEL: 'loud',
    LOG_REQUESTS: 'perhaps',
    METRICS_TOKEN: 'short',
    METRICS_SOCKET: '9464',
  }

  test('are all named in one message', () => {
    const message = refusalOf(mistaken)
    const named = message.split('\n').flatMap((line) => /^ {2}([A-Z_]+) /.exec(line)?.[1] ?? [])
    assert.deepEqual(named.toSorted(), Object.keys(mistaken).toSorted())
  })

  test('are not repeated: an address of a database has a password in it', () => {
    const DATABASE_URL = 'mysql://owner:s3cr3t-of-owner@localhost/pie'
    assert.doesNotMatch(refusalOf({ DATABASE_URL }), /s3cr3t/)
  })

  test('are found before anything is started, each by its name', () => {
    const subtle = {
      TRUSTED_PROXIES: [
        '10.0.0.0/33',
        '999.1.1.1',
        '::1/129',
        '1:2',
        '10.0.0.0/',
        'loopback',
        '0.0.0.0/0',
        '::/0',
        '10.0.0.1,0.0.0.0/00',
        '0.0.0.0/1,128.0.0.0/1',
        '::ffff:0:0/96',
        '2000::/3',
        'fe80::1%eth0',
        '-1',
        '1.5',
        '100',
      ],
      SOCKET: ['127.0.0.1:65536', ':3000', '127.0.0.1:', '[::1:3000', '::1:3000'],
      SERVICE_DOMAIN: [
        'https://a.example/path',
        'ftp://a.example',
        'https://u:p@a.example',
        '//a.example',
        'https://a.example?',
        'https://*.example',
      ],
      CACHE_URL: [
        'redis://h/abc',
        'redis://h%ZZ@h',
        'redis://:p%zz@h',
        'redis:///0',
        'redis://h:0x/1',
        'redis://h/0/1',
        'redis://h/0?db=1',
        'redis://u:pa#ss@h',
        'memcached://h',
      ],
      ACCESS_TOKEN_TTL: ['1e9', '1.5h', '9999999999', '30M', ' '.concat('x')],
      DATABASE_CONNECTIONS: ['1001', '1.5', 'ten'],
    }
    for (const [name, values] of Object.entries(subtle)) {
      for (const value of values) {
        assert.match(refusalOf({ [name]: value }), new RegExp(`^ {2}${name} `, 'm'), value)
      }
    }
  })

  test('say how it is written, where it is only written otherwise', () => {
    const otherwise = {
      'https://Auth.Example.com:443': 'https://auth.example.com',
      'HTTP://localhost:80/': 'http://localhost',
      'https://bücher.example': 'https://xn--bcher-kva.example',
    }
    for (const [given, written] of Object.entries(otherwise))
      for (const name of ['SERVICE_DOMAIN', 'ALLOWED_ORIGINS'])
        assert.match(
          refusalOf({ SECRET_KEY: goodKey, [name]: given }),
          new RegExp(`^ {2}${name} is written ${written}$`, 'm'),
        )
  })

  test('that nearly have the name of one are told, and what they were meant to be', () => {
    const misspelt = {
      SOKET: 'SOCKET',
      DATABSE_URL: 'DATABASE_URL',
      DATABASE_URI: 'DATABASE_URL',
      SECERT_KEY: 'SECRET_KEY',
      SERVICE_DOMIAN: 'SERVICE_DOMAIN',
      TRUSTED_PROXY: null,
      ALLOWED_ORIGIN: 'ALLOWED_ORIGINS',
      database_url: 'DATABASE_URL',
      REQUEST_DATABSE_URL: 'REQUEST_DATABASE_URL',
      DOCKER: null,
      PATH: null,
      DATABASE: null,
    }
    for (const [name, meant] of Object.entries(misspelt)) {
      if (meant === null) assert.doesNotThrow(() => readConfig({ [name]: '1' }), name)
      else
        assert.match(
          refusalOf({ [name]: '1' }),
          new RegExp(`${name} is no setting: is that ${meant}\\?`),
        )
    }
  })

  test('that nearly have the name of one that is set are somebody else’s', () => {
    const { warnings } = readConfig({ SOCKET: '127.0.0.1:0', SOKET: '1' })
    assert.deepEqual(warnings, [])
  })

  test('of an application with Pie inside are warned of, and no mistakes', () => {
    const { warnings } = readConfig({ SOKET: '1' }, { isShared: true })
    assert.match(warnings.join(), /SOKET is no setting: is that SOCKET\?/)
  })
})

describe('who may read metrics', () => {
  test('is nobody by a token that can be guessed, and it is not repeated', () => {
    const weak = ['metrics', 'a'.repeat(64), 'my-metrics-password-0123456789-abcdef']
    for (const METRICS_TOKEN of [...weak, goodKey.slice(1)]) {
      const message = refusalOf({ METRICS_TOKEN })
      assert.match(message, /METRICS_TOKEN is 32 random characters or more/)
      assert.ok(!message.includes(METRICS_TOKEN))
    }
    for (const METRICS_TOKEN of [`${goodKey} x`, `${goodKey},`, `${goodKey}ä`, `${goodKey}"`])
      assert.match(refusalOf({ METRICS_TOKEN }), /METRICS_TOKEN has characters that no token has/)
    assert.equal(readConfig({ METRICS_TOKEN: goodKey }).METRICS_TOKEN?.revealText(), goodKey)
  })

  test('is nobody by SECRET_KEY, which is every key of Pie', () => {
    for (const SECRET_KEY of [goodKey, `${goodKey.split('').reverse().join('')},${goodKey}`])
      assert.match(refusalOf({ SECRET_KEY, METRICS_TOKEN: goodKey }), /METRICS_TOKEN is SECRET_KEY/)
  })

  test('is not everybody whom Pie answers: METRICS_SOCKET is another place than SOCKET', () => {
    for (const [SOCKET, METRICS_SOCKET] of [
      ['127.0.0.1:3000', '127.0.0.1:3000'],
      ['0.0.0.0:3000', '127.0.0.1:3000'],
      ['127.0.0.1:3000', '0.0.0.0:3000'],
      ['[::]:3000', '127.0.0.1:3000'],
      ['10.0.0.1:3000', '[::0]:3000'],
    ])
      assert.match(
        refusalOf({ SOCKET: SOCKET ?? '', METRICS_SOCKET: METRICS_SOCKET ?? '' }),
        /METRICS_SOCKET is where SOCKET is/,
      )
    for (const METRICS_SOCKET of ['127.0.0.1:3001', '127.0.0.2:3000', '127.0.0.1:0', '[::1]:3000'])
      assert.doesNotThrow(() => readConfig({ METRICS_SOCKET }), METRICS_SOCKET)
  })
})

describe('half of a database’s addresses', () => {
  const url = 'postgres://pie_auth@db.example/app'
  for (const name of ['AUTH_DATABASE_URL', 'REQUEST_DATABASE_URL', 'DIRECT_DATABASE_URL'])
    test(`${name} alone is refused: Pie would make a database of its own`, () => {
      assert.match(
        refusalOf({ SECRET_KEY: goodKey, [name]: url }),
        /to be set beside .*, or else DATABASE_URL/,
      )
    })

  test('both login roles are enough, with a key', () => {
    const both = { AUTH_DATABASE_URL: url, REQUEST_DATABASE_URL: url }
    assert.match(refusalOf(both), /SECRET_KEY has to be set when AUTH_DATABASE_URL is set/)
    assert.equal(readConfig({ ...both, SECRET_KEY: goodKey }).DATABASE_URL, null)
  })

  test('a database without a key is refused, but for what only looks', () => {
    const environment = { DATABASE_URL: 'postgres://owner@db.example/app' }
    assert.match(refusalOf(environment), /SECRET_KEY has to be set when DATABASE_URL is set/)
    assert.doesNotThrow(() => readConfig(environment, { isKeyNeeded: false }))
  })
})
