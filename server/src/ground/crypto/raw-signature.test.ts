import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { toRawSignature } from './raw-signature.ts'

test('a raw signature verifies as JWS has it, whatever the lengths of its two numbers', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const lengths = new Set<number>()
  // One number in 256 is a byte shorter, so 3,000 signatures have met every form but the rarest.
  for (let index = 0; index < 3_000; index += 1) {
    const text = Buffer.from(`message ${index}`)
    const der = sign('sha256', text, privateKey)
    lengths.add(der[3] ?? 0)
    const raw = toRawSignature(der)
    assert.equal(raw.length, 64)
    assert.ok(verify('sha256', text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw))
  }
  assert.ok(lengths.has(33) && lengths.has(32) && lengths.has(31), `only lengths ${[...lengths]}`)
})

test('the shortest numbers are padded on the left', () => {
  const raw = toRawSignature(Buffer.from('3006020101020102', 'hex'))
  assert.equal(raw.toString('hex'), `${'00'.repeat(31)}01${'00'.repeat(31)}02`)
})
