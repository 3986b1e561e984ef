import assert from 'node:assert/strict'
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
      TRUSTED_PROXIES: ['10.0.0.0/33', '999.1.1.1', '::1/129', '1:2', '10.0.0.0/', 'loopback'],
      SOCKET: ['127.0.0.1:65536', ':3000', '127.0.0.1:', '[::1:3000', '::1:3000'],
      SERVICE_DOMAIN: [
        'https://a.example/path',
        'ftp://a.example',
        'https://u:p@a.example',
        '//a.example',
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
})
