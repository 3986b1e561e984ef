import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ownOrigins } from './own-origins.ts'

const own = (origin: string, address?: string): string[] =>
  ownOrigins({ service: { origin, ...(address !== undefined && { address }) } })

describe('Pie’s own origin', () => {
  test('is the public origin alone, wherever it listens', () => {
    for (const name of [
      'https://auth.example.com',
      'https://localhost:3000',
      'https://127.0.0.1',
      'http://localhost.evil.example:3000',
      'http://127.0.0.1.evil.example:3000',
      'http://192.168.1.5:3000',
      'http://pie.example.com',
    ])
      assert.deepEqual(own(name, 'http://127.0.0.1:3000'), [name])
  })

  test('is every name of a laptop, whichever it is given, on the same port', () => {
    for (const [port, names] of [
      [':3000', ['http://127.0.0.1:3000', 'http://[::1]:3000', 'http://localhost:3000']],
      ['', ['http://127.0.0.1', 'http://[::1]', 'http://localhost']],
    ] as const)
      for (const host of ['localhost', '127.0.0.1', '[::1]']) {
        const [first, ...others] = own(`http://${host}${port}`)
        assert.equal(first, `http://${host}${port}`)
        assert.deepEqual([first, ...others].toSorted(), names.toSorted())
      }
  })

  test('is, on a laptop, also where it listens, and what that is called otherwise', () => {
    assert.deepEqual(own('http://localhost:8080', 'http://[::1]:3000').slice(3), [
      'http://[::1]:3000',
      'http://localhost:3000',
      'http://127.0.0.1:3000',
    ])
    assert.ok(
      own('http://localhost:3000', 'http://192.168.1.5:3000').includes('http://192.168.1.5:3000'),
    )
  })

  test('is no other address of this machine, where another service may listen', () => {
    assert.deepEqual(own('http://127.0.0.2:3000'), ['http://127.0.0.2:3000'])
    assert.deepEqual(own('http://pie.localhost', 'http://127.0.0.2:3000'), [
      'http://pie.localhost',
      'http://127.0.0.2:3000',
    ])
  })
})
