/** What deploy/ has for those who watch is tried on what reads it: Prometheus, two nodes, and people who use them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { registerByCookie } from '../harness/by-cookie.ts'
import { readMetrics } from '../harness/metrics.ts'
import { until } from '../harness/nodes.ts'
import { goodPassword, type RequestOptions, startTestPie, type TestPie } from '../harness/pie.ts'
import { isPrometheusThere, type Prometheus, startPrometheus } from '../harness/prometheus.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

const token = 'Rk7vQ2mXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Jb'
const fileOf = (path: string) => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url))
const rulesFile = fileOf('prometheus/pie.rules.yaml')
const rulesText = readFileSync(rulesFile, 'utf8')

interface Panel {
  title: string
  targets?: { expr: string }[]
}
const { panels } = JSON.parse(readFileSync(fileOf('grafana/pie.json'), 'utf8')) as {
  panels: Panel[]
}
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
)

let valkey: Valkey
let nodes: TestPie[]
before(async () => {
  valkey = await startValkey()
  const settings = { METRICS_TOKEN: token, CACHE_URL: valkey.url, TRUSTED_PROXIES: '127.0.0.1' }
  const first = await startTestPie({ settings })
  nodes = [first, await startTestPie({ settings, databaseUrl: first.databaseUrl })]
})
after(async () => {
  for (const node of [...nodes].reverse()) await node.close()
  await valkey.stop()
})

/** A few people, each from a network of their own: they sign up, look around, forget their passwords and leave. */
async function useNodes(round: number): Promise<void> {
  const network = `10.${round >> 16}.${(round >> 8) & 255}.${round & 255}`
  const [one, other] = nodes.map(({ request }) => ({
    request: (path: string, { headers, ...options }: RequestOptions = {}) =>
      request(path, { ...options, headers: { 'x-forwarded-for': network, ...headers } }),
  })) as [Pick<TestPie, 'request'>, Pick<TestPie, 'request'>]
  const { cookie, csrfToken } = await registerByCookie(one, `person-${round}`)
  for (const node of [one, other, one, other])
    await node.request('/auth/session', { headers: { cookie } })
  await one.request('/there/is/nothing')
  for (let attempt = 0; attempt < 11; attempt += 1)
    await other.request('/auth/login', {
      body: { email: 'nobody@example.com', password: goodPassword },
    })
  await one.request('/auth/logout', {
    method: 'POST',
    headers: { cookie, 'x-csrf-token': csrfToken },
  })
}

test('every metric that the dashboard and the rules name is in a scrape, and its labels are', async () => {
  await useNodes(0)
  const texts = await Promise.all(nodes.map((node) => node.request('/metrics', { token })))
  const found = texts.map((answer) => readMetrics(answer))
  const named = [...`${queries.map(({ expr }) => expr)} ${rulesText}`.matchAll(/\bpie_[a-z_]+/g)]
  assert.ok(queries.length >= 30 && named.length >= 40, `only ${named.length} were found`)
  for (const [name] of named)
    assert.ok(
      found.some((samples) => samples.has(name)),
      name,
    )
  const shown = new Set(found.flatMap((samples) => [...samples.keys()]))
  const unseen = [...shown].filter(
    (name) =>
      !named.some(
        ([other]) => other === name || other === name.replace(/_(sum|count)$/, '_bucket'),
      ),
  )
  assert.deepEqual(unseen, [], 'nobody looks at these')
})

test('the guide says of every metric and every alert what to do', async () => {
  const guide = readFileSync(new URL('../../docs/guides/production.md', import.meta.url), 'utf8')
  const answer = await (nodes[0] as TestPie).request('/metrics', { token })
  const metrics = [...String(answer.body).matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name)
  const rows = guide.split('\n').filter((line) => line.startsWith('| `pie_'))
  const told = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(pie_\w+)`/g)].map(([, name = '']) => name),
  )
  assert.ok(metrics.length >= 25)
  assert.deepEqual(told.toSorted(), metrics.toSorted())
  const alerts = [...rulesText.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
  const [, advised = ''] = guide.split('## What to do when it alerts')
  const named = [...advised.matchAll(/\*\*(Pie\w+)\*\*/g)].map(([, name = '']) => name)
  assert.deepEqual(named.toSorted(), alerts.toSorted())
})

describe('Prometheus', { skip: !isPrometheusThere && 'there is no prometheus here' }, () => {
  let prometheus: Prometheus
  before(async () => {
    const targets = nodes.map(({ pie }) => new URL(pie.address).host)
    prometheus = await startPrometheus(targets, { token, rules: rulesFile })
  })
  after(() => prometheus?.stop())

  test('is answered by every query of the dashboard', { timeout: 120_000 }, async (t) => {
    let round = 1
    const waiting = new Map(queries.map((query) => [`${query.title}: ${query.expr}`, query.expr]))
    while (waiting.size > 0) {
      await useNodes(round)
      round += 1
      for (const [name, expression] of waiting) {
        const asked = expression.replaceAll('$__rate_interval', '30s').replaceAll('$instance', '.*')
        const values = await prometheus.query(asked)
        if (values.some(Number.isFinite)) waiting.delete(name)
      }
      if (t.signal.aborted) assert.deepEqual([...waiting.keys()], [])
    }
    t.diagnostic(`${queries.length} queries answered after ${round} rounds`)
    // One scrape may take longer than the half second that it is given.
    await until(async () => (await prometheus.targets()).every(({ health }) => health === 'up'))
  })

  test('takes every rule, and says nothing of nodes that are well', async () => {
    const count = [...rulesText.matchAll(/- alert: /g)].length
    for (;;) {
      const rules = await prometheus.rules()
      assert.equal(rules.length, count)
      for (const { name, lastError } of rules) assert.equal(lastError ?? '', '', name)
      if (rules.every(({ health }) => health === 'ok')) break
      await sleep(100)
    }
    const firing = (await prometheus.query('ALERTS{alertstate="firing"}')).length
    assert.equal(firing, 0)
  })

  test('says which node is down', async () => {
    const [, other] = nodes as [TestPie, TestPie]
    await other.pie.close()
    while ((await prometheus.query('up{job="pie"} == 0')).length === 0) await sleep(50)
    while ((await prometheus.query('ALERTS{alertname="PieDown"}')).length === 0) await sleep(50)
  })
})
