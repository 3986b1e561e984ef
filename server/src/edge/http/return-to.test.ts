import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readReturnTo } from './return-to.ts'

const own = 'https://auth.example.com'
const allowed = ['https://app.example.com', 'http://dev.example.com:8080']
const policy = { service: { origin: own, name: 'Pie', allowedOrigins: allowed } }
const origins = [own, ...allowed]

/** What attackers make addresses of. */
const parts = fc.constantFrom(
  ...['/', '//', '\\', ':', '@', '?', '#', '.', '..', ';', '%2f', '%2F', '%5c', '%255c', '%40'],
  ...['%00', '%0d%0a', '%09', '%25', '%', '\t', '\n', '\r', ' ', '\u00a0', '\u2028', '／', '＠'],
  ...['http:', 'https:', 'javascript:', 'data:', 'JAVASCRIPT:', 'evil.example', 'alert(1)'],
  ...['auth.example.com', 'app.example.com', ...origins, '/account', 'x', '[::1]', '127.0.0.1'],
)
const address = fc.oneof(
  fc.array(parts, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string({ unit: 'binary' }),
  fc.string().map((text) => `/${text}`),
)
const many = { numRuns: 5000 }

describe('where a browser is sent next', () => {
  test('is of Pie’s own origin or an allowed one, to whoever reads the address', () => {
    fc.assert(
      fc.property(address, (text) => {
        const to = readReturnTo(policy, text)
        for (const base of [own, `${own}/auth/logout`, `${own}/a/b/?c#d`])
          assert.ok(origins.includes(new URL(to, base).origin), JSON.stringify(text))
      }),
      many,
    )
  })

  test('is what was asked for, or the start, and never something in between', () => {
    fc.assert(
      fc.property(address, (text) => {
        assert.ok([text, '/'].includes(readReturnTo(policy, text)))
      }),
      many,
    )
  })

  test('has nothing in it that ends a header, or that browsers drop or turn around', () => {
    fc.assert(
      fc.property(address, (text) => {
        assert.match(readReturnTo(policy, text), /^[!-[\]-~]+$/)
      }),
      many,
    )
  })

  test('stays on Pie after a careless proxy has taken one layer of encoding off its path', () => {
    fc.assert(
      fc.property(address, (text) => {
        const to = readReturnTo(policy, text)
        if (to.startsWith('/')) assert.doesNotMatch(decodeURIComponent(to), /[\r\n\t\\]/)
      }),
      many,
    )
  })

  test('names nobody and no password', () => {
    fc.assert(
      fc.property(address, (text) => {
        const { username, password } = new URL(readReturnTo(policy, text), own)
        assert.deepEqual([username, password], ['', ''])
      }),
      many,
    )
  })

  test('is any plain path of Pie’s and of an allowed origin', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._~-]{1,12}$/)
    const path = fc
      .tuple(fc.array(word, { minLength: 1, maxLength: 4 }), word, word)
      .map(([steps, query, hash]) => `/${steps.join('/')}?x=${query}#${hash}`)
    fc.assert(
      fc.property(path, fc.constantFrom('', ...origins), (plain, origin) => {
        assert.equal(readReturnTo(policy, origin + plain), origin + plain)
      }),
    )
  })
})
