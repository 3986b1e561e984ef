import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { FastifyRequest } from 'fastify'
import { checkOrigin } from './cross-origin.ts'

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

describe('on a laptop, what a page of the very address that it asks makes a browser send', () => {
  const passesAt = (service: string, host: string, headers: Record<string, string>): boolean => {
    try {
      const laptop = { service: { origin: service, name: 'Pie', allowedOrigins: [] } }
      checkOrigin(laptop, { headers: { host, ...headers } } as unknown as FastifyRequest)
      return true
    } catch {
      return false
    }
  }
  const laptops = [
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://[::1]',
    'http://pie.localhost',
  ]
  const hosts = ['localhost:3000', '127.0.0.1:5173', '[::1]:8080', '127.9.8.7', 'localhost.:3000']

  test('is taken by whichever of this machine’s names, with and without Fetch Metadata', () => {
    for (const service of laptops)
      for (const host of hosts) {
        assert.ok(passesAt(service, host, { origin: `http://${host}` }), host)
        const marks = { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }
        assert.ok(passesAt(service, host, marks), `${host} at ${service}`)
      }
  })

  test('is refused where the browser, the address or the name says something else', () => {
    for (const service of laptops) {
      for (const site of ['same-site', 'cross-site', 'none', '', 'Same-Origin'])
        assert.ok(
          !passesAt(service, '127.9.8.7', { origin: 'http://127.9.8.7', 'sec-fetch-site': site }),
        )
      for (const [host, origin] of [
        ['127.9.8.7', 'https://127.9.8.7'],
        ['127.9.8.7', 'http://127.9.8.7:81'],
        ['127.9.8.7:81', 'http://127.9.8.7'],
        ['127.9.8.7', 'http://127.9.8.7/'],
        ['evil.example', 'http://evil.example'],
        ['127.0.0.1.evil.example', 'http://127.0.0.1.evil.example'],
        ['localhost.evil.example', 'http://localhost.evil.example'],
        ['evil.localhost:3000', 'http://evil.localhost:3000'],
        ['192.168.1.5:3000', 'http://192.168.1.5:3000'],
        ['0.0.0.0:3000', 'http://0.0.0.0:3000'],
        ['', 'http://'],
      ] as const)
        assert.ok(!passesAt(service, host, { origin, 'sec-fetch-site': 'same-origin' }), origin)
    }
  })

  test('is refused wherever the service is not a laptop’s', () => {
    for (const service of [
      'https://localhost:3000',
      'https://127.0.0.1',
      'http://pie.example.com',
      'http://192.168.1.5:3000',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
    ])
      for (const host of hosts)
        for (const scheme of ['http', 'https']) {
          const marks = { origin: `${scheme}://${host}`, 'sec-fetch-site': 'same-origin' }
          if (marks.origin !== service) assert.ok(!passesAt(service, host, marks), host)
        }
  })
})
