import { Counter, Gauge, type Metric, Registry } from 'prom-client'
import type { ReadDurations } from '../../ground/durations.ts'

/** One line of a metric: its labels, of which there are few, and what it is now. */
export interface Reading<Value = number> {
  labels?: Readonly<Record<string, string>>
  value: Value
}

/** What a metric is: its name, what it says, how its lines are told apart, and what they are when somebody asks. */
export interface Described<Value> {
  name: string
  help: string
  labelNames?: string[]
  /** A number where there is one line; what is not known has none. */
  read(): Value | Reading<Value>[]
}

export interface Instruments {
  gauge(described: Described<number>): void
  counter(described: Described<number>): void
  histogram(described: Described<ReadDurations>): void
}

/** Pie counts for itself, and prom-client writes it down. */
export function createInstruments(): { registry: Registry; instruments: Instruments } {
  const registry = new Registry()
  return {
    registry,
    instruments: {
      gauge: ({ read, ...described }) =>
        void new Gauge({
          ...described,
          registers: [registry],
          collect() {
            this.reset()
            const readings = asReadings(read())
            // One without labels is 0 until it is taken away.
            if (readings.length === 0 && described.labelNames === undefined) this.remove()
            for (const { labels = {}, value } of readings) this.set(labels, value)
          },
        }),
      counter: ({ read, ...described }) =>
        void new Counter({
          ...described,
          registers: [registry],
          collect() {
            this.reset()
            const readings = asReadings(read())
            if (readings.length === 0 && described.labelNames === undefined) this.remove()
            for (const { labels = {}, value } of readings) this.inc(labels, value)
          },
        }),
      // Its own histograms take what is observed, and nothing that has been counted.
      histogram: ({ name, help, read }) =>
        registry.registerMetric({
          name,
          get: async () => ({
            ...{ name, help, type: 'histogram', aggregator: 'sum' },
            values: asReadings(read()).flatMap((reading) => linesOf(name, reading)),
          }),
        } as unknown as Metric),
    },
  }
}

function asReadings<Value>(read: Value | Reading<Value>[]): Reading<Value>[] {
  return Array.isArray(read) ? read : [{ value: read }]
}

const linesOf = (name: string, { labels = {}, value }: Reading<ReadDurations>): object[] => [
  ...value.atMost.map(([le, count]) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value: count,
  })),
  { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: value.count },
  { metricName: `${name}_sum`, labels, value: value.sumSeconds },
  { metricName: `${name}_count`, labels, value: value.count },
]
