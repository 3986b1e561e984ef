import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { until } from '../../../../test/harness/nodes.ts'
import { startValkey, type Valkey } from '../../../../test/harness/valkey.ts'
import { type DerivedKeys, deriveKeys } from '../crypto/derive-keys.ts'
import { Secret } from '../crypto/secret.ts'
import { createLog, logOptions } from '../log.ts'
import { type Entry, GREATEST_AGE_MS } from './protocol.ts'
import { openSharedCache, type SharedCache } from './shared-cache.ts'

const keysOf = (...texts: string[]) =>
  deriveKeys(texts.map((text) => Secret.fromText(text))) as [DerivedKeys, ...DerivedKeys[]]
const [oldKey, newKey] = [
  'an older key of forty characters, for test',
  'a newer key of forty chars',
]

let valkey: Valkey
let cache: SharedCache
let id: string
const lineage = '7512345678901234567/1'
const open = (...secretKeys: string[]): Promise<SharedCache> => openIn(lineage, ...secretKeys)
const openIn = async (history: string, ...secretKeys: string[]): Promise<SharedCache> => {
  const opened = await openSharedCache(
    Secret.fromText(valkey.url),
    keysOf(...secretKeys),
    () => history,
    createLog('silent', false),
  )
  await untilItWrites(opened)
  return opened
}

/** A server that has just been started is told the script again at the first writing. */
const untilItWrites = (opened: SharedCache) =>
  until(async () => {
    const someId = randomUUID()
    opened.put(someId, {
      value: {},
      versions: [],
      readAt: { transaction: 1, time: 1 },
      goodUntil: 2,
    })
    return (await opened.get(someId)) !== null
  })

before(async () => {
  valkey = await startValkey()
  cache = await open(oldKey)
})
after(async () => {
  await cache.close()
  await valkey.stop()
})
beforeEach(() => {
  id = randomUUID()
})

const entryOf = (sessionVersion: number, userVersion: number, readAt = 1): Entry<unknown> => ({
  value: { user: { email: 'ada@example.com' } },
  versions: [
    [`session ${id}`, sessionVersion],
    [`user ${id}`, userVersion],
  ],
  readAt: { transaction: 1, time: readAt },
  goodUntil: 2,
})

/** Writes, and returns what is there then: commands on one connection are worked off in order. */
async function putThenGet(entry: Entry<unknown>): Promise<Entry<unknown> | null> {
  cache.put(id, entry)
  return cache.get(id)
}

describe('an entry', () => {
  test('comes back as it was put, and only under its own name', async () => {
    assert.deepEqual(await putThenGet(entryOf(1, 1)), entryOf(1, 1))
    assert.equal(await cache.get(randomUUID()), null)
  })

  const orders: Record<string, { newer: [number, number]; older: [number, number] }> = {
    'of an older session': { newer: [10, 1], older: [9, 1] },
    'of an older user': { newer: [1, 10], older: [1, 9] },
    'of an older session and a newer user': { newer: [2, 1], older: [1, 1_000_000] },
  }
  for (const [what, { newer, older }] of Object.entries(orders)) {
    test(`is not overwritten by one ${what}, and overwrites it`, async () => {
      assert.deepEqual(await putThenGet(entryOf(...older)), entryOf(...older))
      assert.deepEqual(await putThenGet(entryOf(...newer)), entryOf(...newer))
      assert.deepEqual(await putThenGet(entryOf(...older)), entryOf(...newer))
    })
  }

  test('is overwritten by one of the same versions, which may have been read later', async () => {
    await putThenGet(entryOf(3, 3, 1))
    assert.deepEqual(await putThenGet(entryOf(3, 3, 2)), entryOf(3, 3, 2))
  })

  test('that is dropped stays away, whoever comes late with it', async () => {
    await putThenGet(entryOf(1, 1))
    cache.drop(id)
    assert.equal(await cache.get(id), null)
    assert.equal(await putThenGet(entryOf(1_000_000, 1_000_000)), null)
  })

  test('does not stay for ever', async () => {
    await putThenGet(entryOf(1, 1))
    const leftMs = Number(await valkey.ask('PTTL', (await valkey.findKey(id)) ?? ''))
    assert.ok(leftMs > 0 && leftMs <= GREATEST_AGE_MS, `${leftMs}`)
  })

  test('says nothing of anybody to whoever reads it there', async () => {
    await putThenGet(entryOf(1, 1))
    const stored = (await valkey.ask('GET', (await valkey.findKey(id)) ?? '')) as Buffer
    assert.ok(stored.length > 100)
    for (const word of ['ada', 'email', 'session', id])
      assert.ok(!stored.includes(word), `${word} is there`)
  })
})

describe('a standby that was promoted', () => {
  const promoted = '7512345678901234567/2'

  test('finds nothing that was read of the primary before it, and is not held up by it', async () => {
    await putThenGet(entryOf(9, 9))
    const next = await openIn(promoted, oldKey)
    assert.equal(await next.get(id), null)
    // Its versions may be lower: what it has not been sent is lost.
    next.put(id, entryOf(8, 8))
    assert.deepEqual(await next.get(id), entryOf(8, 8))
    assert.deepEqual(await cache.get(id), entryOf(9, 9))
    cache.drop(id)
    assert.equal(await cache.get(id), null)
    assert.deepEqual(await next.get(id), entryOf(8, 8))
    await next.close()
  })

  test('opens nothing that is handed out under its name', async () => {
    await putThenGet(entryOf(1, 1))
    const next = await openIn(promoted, oldKey)
    next.put(id, entryOf(1, 1))
    const name = await valkey.findKey(`${lineage}:${id}`)
    const sealed = (await valkey.ask('GET', name ?? '')) as Buffer
    await valkey.ask('SET', `pie:session:${promoted}:${id}`, sealed)
    assert.equal(await next.get(id), null)
    await next.close()
  })
})

describe('a change of SECRET_KEY', () => {
  test('leaves what was put before readable as long as the older key is given', async () => {
    await putThenGet(entryOf(1, 1))
    const both = await open(newKey, oldKey)
    const other = await open(newKey)
    assert.deepEqual(await both.get(id), entryOf(1, 1))
    assert.equal(await other.get(id), null)
    other.put(id, entryOf(1, 1, 7))
    assert.deepEqual(await other.get(id), entryOf(1, 1, 7))
    assert.equal(await cache.get(id), null)
    await both.close()
    await other.close()
  })
})

describe('counting', () => {
  test('goes on from whoever counted before, and begins again when the window is over', async () => {
    const other = await open(oldKey)
    assert.equal((await cache.count(id, 150))?.count, 1)
    const second = await other.count(id, 150)
    assert.equal(second?.count, 2)
    assert.ok(second.resetMs > 0 && second.resetMs <= 150)
    await until(async () => (await cache.count(id, 150))?.count === 1)
    await other.close()
  })
})

describe('a server that stands still, or is gone,', () => {
  /** More than a request waits, and much less than a second. */
  const SOON_MS = 600
  const assertMissesSoon = async () => {
    const began = performance.now()
    const answers = await Promise.all([cache.get(id), cache.count(id, 1_000), cache.get(id)])
    assert.deepEqual(answers, [null, null, null])
    assert.ok(performance.now() - began < SOON_MS)
  }

  test('is a miss soon, left alone for a while, and used again when it goes on', async () => {
    assert.deepEqual(await putThenGet(entryOf(1, 1)), entryOf(1, 1))
    valkey.pause()
    await assertMissesSoon()
    assert.equal(cache.status().state, 'slow')
    await assertMissesSoon()
    cache.drop(id)
    valkey.resume()
    await until(async () => (await cache.get(id)) !== null)
  })

  test('is a miss at once, and used again when it has been started', async () => {
    await putThenGet(entryOf(1, 1))
    await valkey.kill()
    await until(() => cache.status().state === 'unreachable')
    await assertMissesSoon()
    cache.put(id, entryOf(2, 2))
    cache.drop(id)
    await valkey.start()
    await untilItWrites(cache)
    assert.equal(await cache.get(id), null)
    assert.deepEqual(await putThenGet(entryOf(1, 1)), entryOf(1, 1))
  })
})

test('that is closed while it connects or is asked says nothing of it', async () => {
  const lines: string[] = []
  const log = pino(logOptions('info'), { write: (line: string) => void lines.push(line) })
  const openLogged = () =>
    openSharedCache(Secret.fromText(valkey.url), keysOf(oldKey), () => lineage, log)
  await (await openLogged()).close()
  const asked = await openLogged()
  await untilItWrites(asked)
  const asking = asked.get(id)
  await asked.close()
  assert.equal(await asking, null)
  await sleep(50)
  assert.deepEqual(lines, [])
})
