import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { AddressedClient } from '../database/addressed-client.ts'
import { stateOf } from '../database/connection-state.ts'
import { createLineage, type Lineage } from '../database/lineage.ts'
import { createLogin, type Login } from '../database/login.ts'
import { cutOff } from '../database/lost-connection.ts'
import type { Log } from '../log.ts'
import { readNotice } from './protocol.ts'
import type { Trust } from './trust.ts'

const CHANNEL = 'pie_cache'

/** How often a node notifies itself. Less than half of TRUST_MS, so that one heartbeat may be late. */
const HEARTBEAT_EVERY_MS = 750

/** A connection on which a statement has not been answered for this long is given up. */
const GIVE_UP_MS = 2_500

const CONNECT_WITHIN_MS = 2_000

/** What `checkDelivery` sends on the channel of the heartbeats. */
const IDLE = 'idle'

/** The listening connection: hears what changes, and proves that it hears. */
export interface Listener {
  /** Resolves when it has heard for the first time, or has failed to. */
  started: Promise<void>
  /** Resolves when it has heard of all that was committed before; where it cannot, nothing is believed. */
  catchUp(): Promise<void>
  close(): Promise<void>
}

/**
 * Listens until it is closed, on one connection after the other.
 * @param urls direct connections (see `createLogin`): a pooler in transaction mode passes no notices on
 */
export function openListener(
  urls: Secret | readonly Secret[],
  trust: Trust,
  log: Log,
  lineage: Lineage = createLineage(),
): Listener {
  const login = createLogin(urls, { runs: 'own', mustWrite: true, lineage })
  let leaveOlder = () => {}
  lineage.onNewer(() => {
    // What is known of changes is what an older primary has told.
    trust.lose()
    leaveOlder()
  })
  const closing = new AbortController()
  let isHearing = false
  let heartbeat: (() => Promise<void>) | null = null
  let start = () => {}
  const started = new Promise<void>((resolve) => {
    start = resolve
  })
  const hears = () => {
    if (!isHearing) log.info('hearing of changes; what is cached is believed')
    isHearing = true
    isTold = false
    start()
  }
  /** Of one failure after the other the first is told, once everything has been tried. */
  let isTold = false
  const run = async () => {
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      try {
        const client = createClient(login)
        leaveOlder = () => {
          if (lineage.isLeft(stateOf(client).primary)) cutOff(client)
        }
        await listenOnce(client, login, trust, closing.signal, (heart) => {
          failures = 0
          heartbeat = heart.heartbeat
          hears()
        })
      } catch (error) {
        const isEverythingTried = !login.tryNext(error) || failures >= login.tries
        if (!closing.signal.aborted && !isTold && (isHearing || isEverythingTried)) {
          log.warn({ err: error }, 'not hearing of changes; every check reads Postgres until then')
          isTold = true
        }
        if (isEverythingTried) start()
      }
      isHearing = false
      heartbeat = null
      trust.lose()
      await sleep(Math.min(50 * 2 ** failures, 1_000), null, { signal: closing.signal }).catch(
        () => {},
      )
    }
    start()
  }
  const running = run()
  return {
    started,
    catchUp: async () => {
      try {
        await heartbeat?.()
      } catch {
        trust.lose()
      }
    },
    close: async () => {
      closing.abort()
      await running
    },
  }
}

/** Listens on one connection until it breaks, falls silent, or is to be closed. */
async function listenOnce(
  client: pg.Client,
  login: Login,
  trust: Trust,
  closing: AbortSignal,
  hears: (heart: Pick<Heart, 'heartbeat'>) => void,
): Promise<void> {
  const ended = new Promise<never>((_, reject) => {
    client.on('error', reject)
    client.on('end', () => reject(new Error('the listening connection ended')))
    closing.addEventListener('abort', () => reject(new Error('closed')), { once: true })
  })
  ended.catch(() => {})
  const heart = createHeart(client, trust)
  client.on('notification', ({ channel, payload = '' }) => {
    if (channel === heart.channel) return heart.came(payload)
    const notice = readNotice(payload)
    if (notice !== null) trust.hear(notice)
  })
  const listen = async () => {
    await client.connect()
    await login.check(client)
    await client.query(`listen ${CHANNEL}; listen ${heart.channel}`)
    await checkDelivery(login, heart)
    // Only now: what is committed from here on will be heard, and the first heartbeat says where that begins.
    for (;;) {
      await heart.heartbeat()
      hears(heart)
      await sleep(HEARTBEAT_EVERY_MS, null, { ref: false })
    }
  }
  try {
    await Promise.race([listen(), ended])
  } finally {
    cutOff(client)
  }
}

const createClient = (login: Login): pg.Client =>
  new AddressedClient({
    ...login.config(),
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: GIVE_UP_MS,
    application_name: 'pie listener',
    keepAlive: true,
  })

/**
 * Whether notices come while the connection is idle: sees that one comes which another connection sends.
 * A pooler in transaction mode passes on heartbeats, which come during a statement, and drops everything else.
 */
async function checkDelivery(login: Login, heart: Heart): Promise<void> {
  const other = createClient(login)
  other.on('error', () => {})
  try {
    await other.connect()
    await other.query('select pg_notify($1, $2)', [heart.channel, IDLE])
  } finally {
    cutOff(other)
  }
  const tooLate = sleep(CONNECT_WITHIN_MS, true, { ref: false })
  if (await Promise.race([heart.heardWhileIdle, tooLate]))
    throw new Error('notices do not come through: DIRECT_DATABASE_URL must go past the pooler')
}

/**
 * Heartbeats go out on a channel of this connection's own, whose name nobody can guess: a heartbeat that somebody
 * else sends would make this node believe that it hears.
 */
function createHeart(client: pg.Client, trust: Trust) {
  const channel = `pie_heartbeat_${randomBytes(16).toString('hex')}`
  const idle = Promise.withResolvers<false>()
  let count = 0
  let lastCame = ''
  const send = async () => {
    count += 1
    const name = String(count)
    const arrive = trust.heartbeat()
    const { rows } = await client.query<{ transaction: string; time: string }>(
      `select pg_notify($1, $2), pg_snapshot_xmax(pg_current_snapshot()) as transaction,
        extract(epoch from clock_timestamp()) * 1000 as time`,
      [channel, name],
    )
    if (lastCame !== name) throw new Error('a heartbeat has not come back')
    arrive({ transaction: Number(rows[0]?.transaction), time: Number(rows[0]?.time) })
  }
  let ongoing = Promise.resolve()
  let next: Promise<void> | null = null
  return {
    channel,
    heardWhileIdle: idle.promise,
    came: (payload: string) => {
      if (payload === IDLE) idle.resolve(false)
      else lastCame = payload
    },
    /**
     * Its notification comes before the statement is done, as those of all earlier changes do. One at a time:
     * one that has not been sent yet is for everybody who asks until then.
     */
    heartbeat: (): Promise<void> => {
      next ??= ongoing.then(() => {
        next = null
        const sent = send()
        ongoing = sent.catch(() => {})
        return sent
      })
      return next
    },
  }
}

type Heart = ReturnType<typeof createHeart>
