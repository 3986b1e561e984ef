import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { systemClock } from '../clock.ts'
import { Secret } from '../crypto/secret.ts'
import { openListener } from './listener.ts'
import type { Moment } from './protocol.ts'
import { createTrust } from './trust.ts'

const ada = 'session 6f1c1f0e-3d52-4a5e-9d3e-0a4f6d2b7c11'
const NOTIFICATION = 0x41
const READY = 0x5a

/** One of the server's messages: its type, its length, its body. */
interface Message {
  type: number
  bytes: Buffer
}

/** Stands between a client and its server, and may keep the server's messages back or lose some. */
type Relay = (message: Message, pass: (bytes: Buffer) => void) => void

let database: TestDatabase
let owner: pg.Client
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await database.drop()
})

/** @param createRelay for each connection; what it returns sees the server's messages, and hears of the client's */
async function openRelay(
  t: TestContext,
  createRelay: () => { server: Relay; client?: () => void },
): Promise<Secret> {
  const { hostname, port } = new URL(database.url)
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    sockets.push(near, far)
    const relay = createRelay()
    let rest = Buffer.alloc(0)
    near.on('data', (bytes) => {
      relay.client?.()
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes])
      while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
        const length = rest.readInt32BE(1) + 1
        const message = { type: rest[0] as number, bytes: rest.subarray(0, length) }
        rest = rest.subarray(length)
        relay.server(message, (passed) => void near.write(passed))
      }
    })
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    near.on('error', () => {})
    far.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(database.url)
  url.port = String((server.address() as AddressInfo).port)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return Secret.fromText(url.href)
}

function listenThrough(t: TestContext, url: Secret) {
  const trust = createTrust(systemClock)
  const listener = openListener(url, trust, pino({ level: 'silent' }))
  t.after(() => listener.close())
  return {
    trust,
    listener,
    judge: (readAt: Moment, version: number) =>
      trust.judge(
        { versions: [[ada, version]], readAt, goodUntil: Number.MAX_SAFE_INTEGER },
        trust.begin(),
      ),
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let left = 500; !isSo(); left -= 1) {
    assert.ok(left > 0, `still waiting until ${what}`)
    await sleep(10)
  }
}

/** As a reading has it that begins now. */
async function databaseNow(): Promise<Moment> {
  const { rows } = await owner.query(
    'select pg_snapshot_xmax(pg_current_snapshot()) as transaction, extract(epoch from now()) * 1000 as time',
  )
  return { transaction: Number(rows[0]?.transaction), time: Number(rows[0]?.time) }
}

const announce = (version: number) =>
  owner.query('select pg_notify($1, $2)', ['pie_cache', `${ada} ${version}`])

describe('a listening connection', () => {
  test('hears of changes, and believes what was read since it heard for the first time', async (t) => {
    const readBefore = await databaseNow()
    const { trust, listener, judge } = listenThrough(t, Secret.fromText(database.url))
    await listener.started
    const readAfter = await databaseNow()
    assert.equal(judge(readAfter, 1), 'believed')
    assert.equal(judge(readBefore, 1), 'before_horizon')
    await announce(2)
    await until('the change is heard of', () => trust.status().floors === 1)
    assert.equal(judge(readAfter, 1), 'below_floor')
    assert.equal(judge(readAfter, 2), 'believed')
    await listener.close()
    assert.equal(trust.hears(), false)
  })

  test('remembers a change that comes together with the answers it begins with', async (t) => {
    const kept: Buffer[] = []
    let release = () => {}
    let connections = 0
    const relay = await openRelay(t, () => {
      connections += 1
      const isListening = connections === 1
      let ready = 0
      let isKeeping = true
      return {
        server: ({ type, bytes }, pass) => {
          // Ready for the first time when it is connected, for the second when it listens.
          if (!isListening || ready < 2 || !isKeeping) pass(bytes)
          else kept.push(bytes)
          if (type === READY) ready += 1
          if (isListening)
            release = () => {
              isKeeping = false
              pass(Buffer.concat(kept))
            }
        },
      }
    })
    const { trust, listener, judge } = listenThrough(t, relay)
    await until('something is kept back', () => kept.length > 0)
    const readBefore = await databaseNow()
    await announce(2)
    await until('the notice is, too', () => Buffer.concat(kept).includes(`${ada} 2`))
    release()
    await listener.started
    assert.equal(trust.hears(), true)
    assert.notEqual(judge(readBefore, 1), 'believed')
    assert.equal(judge(await databaseNow(), 2), 'believed')
  })

  test('is not believed behind a pooler that drops what comes between statements', async (t) => {
    let dropped = 0
    const relay = await openRelay(t, () => {
      let isIdle = false
      return {
        client: () => {
          isIdle = false
        },
        server: ({ type, bytes }, pass) => {
          if (isIdle && type === NOTIFICATION) {
            dropped += 1
            return
          }
          if (type === READY) isIdle = true
          pass(bytes)
        },
      }
    })
    const { trust, listener, judge } = listenThrough(t, relay)
    await listener.started
    await announce(3)
    await until('a notice is dropped', () => dropped > 0)
    assert.equal(trust.hears(), false)
    assert.equal(judge(await databaseNow(), 1), 'silent')
  })
})
