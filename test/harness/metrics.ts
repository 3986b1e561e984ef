/** What a node tells Prometheus. */
import assert from 'node:assert/strict'
import type { Answer } from './pie.ts'

interface Sample {
  labels: Record<string, string>
  value: number
}

/** The lines by name, each with its labels. */
export type Samples = Map<string, Sample[]>

export function readMetrics({ status, body }: Pick<Answer, 'status' | 'body'>): Samples {
  assert.equal(status, 200, JSON.stringify(body))
  const samples: Samples = new Map()
  for (const line of String(body).split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', written = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    assert.ok(value !== undefined && Number.isFinite(Number(value)), line)
    const labels = Object.fromEntries(
      [...written.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label = '', text = '']) => [
        label,
        text,
      ]),
    )
    samples.set(name, [...(samples.get(name) ?? []), { labels, value: Number(value) }])
  }
  return samples
}

/** Of the line with exactly these labels; 0 where it has not been counted yet. */
export function readingOf(samples: Samples, name: string, labels: Record<string, string>): number {
  const wanted = JSON.stringify(Object.entries(labels).sort())
  const found = (samples.get(name) ?? []).filter(
    (sample) => JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
  )
  return found[0]?.value ?? 0
}
