/** Prometheus, where it is installed: what reads Pie's metrics in production reads them here. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from './process.ts'

export const isPrometheusThere = spawnSync('prometheus', ['--version']).error === undefined

export interface Prometheus {
  /** What an expression is now, a number for each series. */
  query(expression: string): Promise<number[]>
  /** What it makes of the rules: each with what was wrong with it. */
  rules(): Promise<{ name: string; lastError: string; health: string }[]>
  /** What it scrapes: each with what was wrong with it. */
  targets(): Promise<{ health: string; lastError: string }[]>
  stop(): Promise<void>
}

/** @param targets `host:port` of each node */
export async function startPrometheus(
  targets: string[],
  { token, rules }: { token: string; rules: string },
): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'pie-prometheus-'))
  const config = join(directory, 'prometheus.yml')
  writeFileSync(
    config,
    `global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }
rule_files: [${JSON.stringify(rules)}]
scrape_configs:
  - job_name: pie
    authorization: { credentials: ${JSON.stringify(token)} }
    static_configs: [{ targets: ${JSON.stringify(targets)} }]
`,
  )
  const checked = spawnSync('promtool', ['check', 'config', config], { encoding: 'utf8' })
  assert.equal(checked.status, 0, checked.stderr)
  const listen = `127.0.0.1:${await findFreePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${listen}`,
    ],
    { stdio: 'ignore' },
  )
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // biome-ignore lint/suspicious/noExplicitAny: as Prometheus has it
  const ask = async (path: string, parameters = {}): Promise<any> => {
    const answer = await fetch(`http://${listen}${path}?${new URLSearchParams(parameters)}`)
    // biome-ignore lint/suspicious/noExplicitAny: the same
    const { status, data, error } = (await answer.json()) as any
    assert.equal(status, 'success', `${JSON.stringify(parameters)}: ${error}`)
    return data
  }
  for (;;) {
    const answer = await fetch(`http://${listen}/-/ready`).catch(() => null)
    if (answer?.ok) break
    assert.equal(child.exitCode, null, 'prometheus has ended')
    await sleep(50)
  }
  return {
    query: async (query) =>
      (await ask('/api/v1/query', { query })).result.map(({ value }: { value: [number, string] }) =>
        Number(value[1]),
      ),
    rules: async () =>
      (await ask('/api/v1/rules')).groups.flatMap(({ rules }: { rules: unknown[] }) => rules),
    targets: async () => (await ask('/api/v1/targets')).activeTargets,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
