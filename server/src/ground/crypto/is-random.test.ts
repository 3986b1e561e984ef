import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isRandom } from './is-random.ts'

test('words are not random, however many they are and whatever stands between them', () => {
  for (const text of [
    'correcthorsebatterystaplemetrics',
    'prometheus-scrape-token-for-pie-1',
    'mysupersecretmetricstokenforpie2026',
    'CorrectHorseBatteryStaplesAreGreat1',
    'PROMETHEUS_SCRAPES_THIS_WITH_A_TOKEN_1',
    'grafana-monitoring-cluster-production-01',
    'letmeintothedatabaseplease-2024-now',
    'thisisaverylongtokenformymetricsserver',
  ])
    assert.equal(isRandom(text), false, text)
})

test('32 characters of a generator are', () => {
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    for (let made = 0; made < 2_000; made += 1) {
      const text = randomBytes(encoding === 'hex' ? 16 : 24).toString(encoding)
      assert.equal(text.length, 32)
      assert.equal(isRandom(text), true, text)
    }
})
