import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { deriveKeys } from '../../ground/crypto/derive-keys.ts'
import { Secret } from '../../ground/crypto/secret.ts'
import { readSignedSessionId, signSessionId } from './session-cookie.ts'

const [newer, older] = deriveKeys(
  ['the newer key of this service, 0123456789', 'the older key of this service, 0123456789'].map(
    (key) => Secret.fromText(key),
  ),
)
assert.ok(newer !== undefined && older !== undefined)

describe('a signed session id', () => {
  test('is read as what was signed', () => {
    const sessionId = randomUUID()
    const text = signSessionId([newer], sessionId)
    assert.equal(text.length, 80)
    assert.deepEqual(readSignedSessionId([newer], text), { sessionId, isCurrent: true })
  })

  test('is signed with the first key, read with each, and not current where another signed', () => {
    const sessionId = randomUUID()
    assert.equal(signSessionId([newer, older], sessionId), signSessionId([newer], sessionId))
    const text = signSessionId([older], sessionId)
    assert.deepEqual(readSignedSessionId([newer, older], text), { sessionId, isCurrent: false })
    assert.equal(readSignedSessionId([newer], text), null)
  })

  test('is not what any other text is read as', () => {
    const good = signSessionId([newer], randomUUID())
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        assert.equal(readSignedSessionId([newer, older], text), null)
        assert.equal(readSignedSessionId([newer, older], `${good}x${text}`), null)
      }),
    )
  })

  test('is not read where one letter has changed, whichever and to whatever', () => {
    const good = signSessionId([newer], randomUUID())
    const letter = fc.oneof(
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    fc.assert(
      fc.property(fc.nat(good.length - 1), letter, (at, other) => {
        const text = good.slice(0, at) + other + good.slice(at + 1)
        fc.pre(text !== good)
        assert.equal(readSignedSessionId([newer, older], text), null)
      }),
      { numRuns: 500 },
    )
  })
})
