import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OperatorError } from '../ground/errors.ts'
import type { Environment } from './environment.ts'
import { readConfig } from './read-config.ts'

const inProduction = {
  SERVICE_DOMAIN: 'https://auth.example.com',
  SECRET_KEY: 'Rk7vQ2mXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Jb',
}
const warningsOf = (environment: Environment) => readConfig(environment).warnings
const refuses = (environment: Environment, sentence: RegExp) =>
  assert.throws(
    () => readConfig(environment),
    (error) => error instanceof OperatorError && sentence.test(error.message),
  )

describe('a switch', () => {
  test('is on or off, in whichever letters, and says what it was where it is neither', () => {
    for (const [text, value] of Object.entries({ ON: true, True: true, Off: false, FALSE: false }))
      assert.equal(readConfig({ LOG_REQUESTS: text }).LOG_REQUESTS, value, text)
    for (const text of ['yes', '1', 'onn'])
      for (const name of ['LOG_REQUESTS', 'GRAPHQL_INTROSPECTION'])
        refuses({ [name]: text }, new RegExp(`${name} is .*off; it was: ${text}$`))
  })
})

test('a choice is taken in whichever letters', () => {
  assert.equal(readConfig({ LOG_LEVEL: 'WARN' }).LOG_LEVEL, 'warn')
  assert.equal(readConfig({ GRAPHQL_INTROSPECTION: 'Off' }).GRAPHQL_INTROSPECTION, 'off')
})

test('names of schemas are taken as they are in Postgres', () => {
  for (const [text, names] of Object.entries({
    '': [],
    'app, app2 ,': ['app', 'app2'],
    'MyApp,app,MyApp': ['MyApp', 'app'],
    '"My App",日本': ['My App', '日本'],
    'My App,my-app': ['My App', 'my-app'],
    '"a, b","say ""hi"""': ['a, b', 'say "hi"'],
  }))
    assert.deepEqual(readConfig({ GRAPHQL_SCHEMAS: text }).GRAPHQL_SCHEMAS, names, text)
  refuses({ GRAPHQL_SCHEMAS: 'app,"open' }, /GRAPHQL_SCHEMAS has "open, which is no name/)
  refuses({ GRAPHQL_SCHEMAS: 'pie_private' }, /GRAPHQL_SCHEMAS has pie_private, which is not/)
  refuses({ GRAPHQL_SCHEMAS: 'é'.repeat(32) }, /GRAPHQL_SCHEMAS has é+, which is longer/)
})

describe('a comment behind a value', () => {
  test('is told where the value is wrong by it', () => {
    refuses(
      { CACHE_URL: 'valkey://cache:6379/0   # from the second node on' },
      /CACHE_URL has .*It looks as if it had a comment in it/,
    )
    refuses({ LOG_LEVEL: 'info # all' }, /LOG_LEVEL is one of .*looks as if it had a comment/)
  })

  test('is told where the value is taken with it', () => {
    const key = `${inProduction.SECRET_KEY}   # openssl rand -base64 33`
    const [warning, ...others] = warningsOf({ SECRET_KEY: key })
    assert.match(warning ?? '', /^SECRET_KEY looks as if it had a comment in it/)
    assert.ok(!warning?.includes(inProduction.SECRET_KEY))
    assert.deepEqual(others, [])
  })

  test('is none without a blank before it', () => {
    assert.deepEqual(warningsOf({ SERVICE_NAME: 'C#', DATA_DIR: '/srv/#1' }), [])
  })
})

describe('METRICS_SOCKET', () => {
  const warned = (host: string, more = {}) =>
    warningsOf({ ...inProduction, METRICS_SOCKET: `${host}:9464`, ...more }).length === 1

  test('of a public address and without a token is warned of in production', () => {
    for (const host of ['0.0.0.0', '[::]', '203.0.113.7', '172.32.0.1', '[2001:db8::1]'])
      assert.ok(warned(host), host)
  })

  test('of a private address, with a token or elsewhere is not', () => {
    for (const host of [
      '127.0.0.1',
      '10.0.0.5',
      '172.16.0.1',
      '192.168.1.1',
      '[::1]',
      '[fd00::1]',
      'localhost',
    ])
      assert.ok(!warned(host), host)
    assert.ok(!warned('0.0.0.0', { METRICS_TOKEN: 'Hn2fLq8RzVb5Xw3Jt9Ky6Mc4Pd7Gs1Ae' }))
    assert.deepEqual(warningsOf({ METRICS_SOCKET: '0.0.0.0:9464' }), [])
  })

  test('has an example that is not SOCKET’s address', () => {
    refuses({ METRICS_SOCKET: '9464' }, /METRICS_SOCKET is .*127\.0\.0\.1:9464/)
    refuses({ SOCKET: '3000' }, /SOCKET is .*127\.0\.0\.1:3000/)
  })
})
