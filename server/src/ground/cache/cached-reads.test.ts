import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCachedReads } from './cached-reads.ts'
import type { Entry, Verdict } from './protocol.ts'
import type { SharedCache } from './shared-cache.ts'
import type { Trust } from './trust.ts'

const entryOf = (name: string): Entry<{ name: string }> => ({
  value: { name },
  versions: [],
  readAt: { transaction: 0, time: 0 },
  goodUntil: 0,
})

/** A cache whose trust says what it is told, and readings that are answered one by one. */
function startCache(shared: SharedCache | null = null) {
  const disbelieved = new Set<string>()
  const judge = (entry: object): Verdict =>
    disbelieved.has((entry as Entry<{ name: string }>).value.name) ? 'below_floor' : 'believed'
  const began = { at: { monotonicMs: 0, wallMs: 0 }, forgotten: 0 }
  const trust = { judge, hears: () => true, begin: () => began } as Partial<Trust> as Trust
  const cache = createCachedReads<{ name: string }>(trust, shared, 10)
  const readings: PromiseWithResolvers<Entry<{ name: string }> | null>[] = []
  const readTruth = () => {
    const reading = Promise.withResolvers<Entry<{ name: string }> | null>()
    readings.push(reading)
    return reading.promise
  }
  return { cache, disbelieved, readings, find: () => cache.find('ada', readTruth) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('many who ask at once', () => {
  test('share one reading while what it brings is believed', async () => {
    const { find, readings, cache } = startCache()
    const found = Promise.all([find(), find(), find()])
    readings[0]?.resolve(entryOf('ada'))
    assert.deepEqual(await found, [{ name: 'ada' }, { name: 'ada' }, { name: 'ada' }])
    assert.equal(readings.length, 1)
    assert.deepEqual(cache.status(), { entries: 1, hits: 0, sharedHits: 0, reads: 1 })
  })

  test('read for themselves when it is not: only the first had asked before the change', async () => {
    const { find, readings, disbelieved, cache } = startCache()
    const first = find()
    const joining = find()
    disbelieved.add('old')
    readings[0]?.resolve(entryOf('old'))
    assert.deepEqual(await first, { name: 'old' })
    await turn()
    assert.equal(readings.length, 2)
    readings[1]?.resolve(entryOf('new'))
    assert.deepEqual(await joining, { name: 'new' })
    assert.deepEqual(cache.peek('ada'), { name: 'new' })
  })

  test('read for themselves when it finds nothing', async () => {
    const { find, readings } = startCache()
    const first = find()
    const joining = find()
    readings[0]?.resolve(null)
    assert.equal(await first, null)
    await turn()
    readings[1]?.resolve(entryOf('ada'))
    assert.deepEqual(await joining, { name: 'ada' })
  })

  test('fail with it: each would wait once more for a database that does not answer', async () => {
    const { find, readings } = startCache()
    const first = find()
    const joining = find()
    const both = [assert.rejects(first, /lost/), assert.rejects(joining, /lost/)]
    readings[0]?.reject(new Error('lost'))
    await Promise.all(both)
    assert.equal(readings.length, 1)
    const again = find()
    await turn()
    readings[1]?.resolve(entryOf('ada'))
    assert.deepEqual(await again, { name: 'ada' })
  })
})

test('what is not believed is neither kept nor given to the shared cache', async () => {
  const given: string[] = []
  const shared = {
    get: async () => null,
    put: (id: string) => given.push(id),
  } as Partial<SharedCache> as SharedCache
  const { cache, disbelieved } = startCache(shared)
  disbelieved.add('old')
  cache.begin()('ada', entryOf('old'))
  assert.equal(cache.peek('ada'), null)
  assert.deepEqual(given, [])
  cache.begin()('ada', entryOf('new'))
  assert.deepEqual(given, ['ada'])
  disbelieved.add('new')
  assert.equal(cache.peek('ada'), null)
})

test('what the shared cache hands out is judged like everything else', async () => {
  const shared = {
    get: async () => entryOf('old'),
    put: () => {},
  } as Partial<SharedCache> as SharedCache
  const { find, disbelieved, readings, cache } = startCache(shared)
  assert.deepEqual(await find(), { name: 'old' })
  assert.equal(cache.status().sharedHits, 1)
  disbelieved.add('old')
  const found = find()
  await turn()
  readings[0]?.resolve(entryOf('new'))
  assert.deepEqual(await found, { name: 'new' })
})

test('a visit that finds nothing leaves nothing: neither here nor in the shared cache', () => {
  const dropped: string[] = []
  const shared = {
    put: () => {},
    drop: (id: string) => dropped.push(id),
  } as Partial<SharedCache> as SharedCache
  const { cache } = startCache(shared)
  cache.begin()('ada', entryOf('ada'))
  const keep = cache.begin()
  assert.deepEqual(cache.peek('ada'), { name: 'ada' })
  keep('ada', null)
  assert.equal(cache.peek('ada'), null)
  assert.deepEqual(dropped, ['ada'])
})
