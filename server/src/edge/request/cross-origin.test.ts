import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { FastifyRequest } from 'fastify'
import { checkOrigin, ownOrigins } from './cross-origin.ts'

const issuer = 'https://auth.example.com'
const allowed = 'https://app.example.com'
const policy = { service: { origin: issuer, name: 'Pie', allowedOrigins: [allowed] } }

const passes = (headers: Record<string, string>): boolean => {
  try {
    checkOrigin(policy, { headers } as unknown as FastifyRequest)
    return true
  } catch {
    return false
  }
}

const sites = ['same-origin', 'same-site', 'cross-site', 'none', 'Same-Origin', '', 'nonsense']
const strange = fc.oneof(
  fc.constantFrom('null', '', '*', 'http://auth.example.com', 'https://AUTH.example.com'),
  fc.webUrl(),
  fc.string(),
  fc
    .tuple(fc.constantFrom(issuer, allowed), fc.string({ minLength: 1 }))
    .chain(([origin, more]) => fc.constantFrom(origin + more, more + origin)),
)

describe('what a page makes a browser send', () => {
  test('is taken from Pie’s own pages and those of an allowed origin', () => {
    for (const origin of [issuer, allowed]) {
      assert.ok(passes({ origin }))
      for (const site of ['same-origin', 'same-site', 'cross-site'])
        assert.ok(passes({ origin, 'sec-fetch-site': site }))
    }
    assert.ok(passes({ 'sec-fetch-site': 'same-origin' }))
    // A page whose referrer policy is no-referrer, as Pie's own is.
    assert.ok(passes({ origin: 'null', 'sec-fetch-site': 'same-origin' }))
  })

  test('is refused from any other origin, unless the browser says that it is this one', () => {
    const names = fc.constantFrom(...sites.filter((site) => site !== 'same-origin'))
    fc.assert(
      fc.property(strange, fc.option(names, { nil: undefined }), (origin, site) => {
        const marks = site === undefined ? {} : { 'sec-fetch-site': site }
        assert.equal(passes({ origin, ...marks }), false)
      }),
      { numRuns: 2000 },
    )
  })

  test('is refused without an origin, unless it is Pie’s own or the person’s own doing', () => {
    for (const site of sites)
      assert.equal(
        passes({ 'sec-fetch-site': site }),
        site === 'same-origin' || site === 'none',
        site,
      )
    assert.ok(passes({}), 'a program')
  })
})

describe('Pie’s own origin', () => {
  const own = (name: string) =>
    ownOrigins({ service: { origin: name, name: 'Pie', allowedOrigins: [] } })

  test('is the public origin alone', () => {
    for (const name of [issuer, 'https://localhost:3000', 'http://localhost.evil.example:3000'])
      assert.deepEqual(own(name), [name])
  })

  test('is both names of a laptop, on the same port', () => {
    assert.deepEqual(own('http://localhost:3000'), [
      'http://localhost:3000',
      'http://127.0.0.1:3000',
    ])
  })
})
