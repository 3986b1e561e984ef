import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkInstalled } from './load-optional.ts'

test('all parts that are missing are said at once', () => {
  const cache = { what: 'CACHE_URL', packages: ['@redis/not-there'] }
  const metrics = { what: 'METRICS_TOKEN', packages: ['prom-not-there'] }
  const there = { what: 'A log', packages: ['pino'] }
  checkInstalled(there)
  assert.throws(
    () => checkInstalled(cache, there, metrics),
    /^OperatorError: CACHE_URL needs .*npm install "@redis\/not-there.*\nMETRICS_TOKEN needs .*"prom-not-there@[^\n]*$/,
  )
  assert.throws(() => checkInstalled(there, metrics), /^OperatorError: METRICS_TOKEN needs [^\n]*$/)
})
