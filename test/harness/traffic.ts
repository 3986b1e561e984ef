/** People who go on using every node while something breaks, and a note of every answer they get. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import { type Browser, whoAmI } from './nodes.ts'
import type { TestPie } from './pie.ts'

/** When, of one process: `performance.now()`. */
type Moment = number

interface Note {
  node: number
  browser: Browser
  startedAt: Moment
  tookMs: number
  status: number
  code: string | undefined
}

export interface Traffic {
  /** Notes that this session has just ended: at a node, or somewhere else. */
  ended(browser: Browser, byNode?: number): void
  /** Waits until every browser has been at every node again, with requests that start from now on. */
  round(): Promise<void>
  /** How many answers there have been of this status, to requests that started after a moment. */
  count(status: number, since?: Moment): number
  /** No more than one in twenty has waited longer for an answer. */
  slowMs(): number
  /**
   * Waits until the two seconds are over for every session that has ended, stops, and asserts what has to hold whatever breaks: a session that has ended is refused at once by
   * the node that ended it and by all within two seconds; any other is never refused, though it may be
   * answered 503; and nothing is answered 500.
   */
  stop(): Promise<void>
}

export function startTraffic(
  nodes: readonly Pick<TestPie, 'request'>[],
  browsers: readonly Browser[],
): Traffic {
  const notes: Note[] = []
  const endings = new Map<Browser, { at: Moment; byNode: number | undefined }>()
  let isOver = false

  const visit = async (node: number, browser: Browser) => {
    while (!isOver) {
      const startedAt = performance.now()
      const { status, body } = await whoAmI(nodes[node] as TestPie, browser)
      const tookMs = performance.now() - startedAt
      notes.push({ node, browser, startedAt, tookMs, status, code: body?.code })
      await sleep(30)
    }
  }
  const visits = nodes.flatMap((_, node) => browsers.map((browser) => visit(node, browser)))
  // A test that has failed closes its nodes; `stop` tells of what happens before.
  for (const one of visits) one.catch(() => {})

  const refusedFrom = (browser: Browser, node: number): Moment => {
    const ending = endings.get(browser)
    if (ending === undefined) return Number.POSITIVE_INFINITY
    return ending.byNode === node ? ending.at : ending.at + TRUST_MS
  }
  const assertHeld = ({ node, browser, startedAt, status, code }: Note) => {
    const words = `${status} ${code} at node ${node}`
    if (status === 503) return
    const ending = endings.get(browser)
    if (ending === undefined) {
      assert.equal(status, 200, `a valid session: ${words}`)
    } else if (startedAt > refusedFrom(browser, node)) {
      const late = Math.round(startedAt - ending.at)
      assert.equal(status, 401, `a session that ended ${late} ms before: ${words}`)
    } else {
      assert.ok(status === 200 || status === 401, words)
    }
  }
  const round = async () => {
    const from = performance.now()
    const hasCome = (node: number, browser: Browser): boolean =>
      notes.some((n) => n.startedAt > from && n.node === node && n.browser === browser)
    const isDone = () => nodes.every((_, node) => browsers.every((one) => hasCome(node, one)))
    while (!isDone()) {
      assert.ok(performance.now() < from + 60_000, 'somebody got no answer')
      await sleep(10)
    }
  }
  return {
    ended: (browser, byNode) => {
      endings.set(browser, { at: performance.now(), byNode })
    },
    round,
    count: (wanted, since = 0) =>
      notes.filter(({ status, startedAt }) => status === wanted && startedAt > since).length,
    slowMs: () => {
      const waits = notes.map(({ tookMs }) => tookMs).sort((one, other) => one - other)
      return waits[Math.floor(waits.length * 0.95)] ?? 0
    },
    stop: async () => {
      const lastEnding = Math.max(0, ...[...endings.values()].map(({ at }) => at))
      await sleep(Math.max(0, lastEnding + TRUST_MS - performance.now()))
      await round()
      isOver = true
      await Promise.all(visits)
      for (const note of notes) assertHeld(note)
    },
  }
}
