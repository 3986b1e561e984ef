import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Instruments } from './instruments.ts'

/** @returns what ends the measuring */
export function describeProcess({ gauge, counter }: Instruments, version: string): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const startedAt = Date.now() / 1000 - process.uptime()
  gauge({
    name: 'pie_build_info',
    help: 'Always 1: which version this is, and on which Node.',
    labelNames: ['version', 'node'],
    read: () => [{ labels: { version, node: process.version }, value: 1 }],
  })
  gauge({
    name: 'pie_process_start_time_seconds',
    help: 'When this process was started.',
    read: () => startedAt,
  })
  counter({
    name: 'pie_process_cpu_seconds_total',
    help: 'Processor time of this process, with that of its threads that hash passwords.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
  })
  counter({
    name: 'pie_event_loop_busy_seconds_total',
    help: 'How long the thread that answers requests has worked: at one second a second, it can do no more.',
    read: () => (performance.eventLoopUtilization() as EventLoopUtilization).active / 1000,
  })
  gauge({
    name: 'pie_event_loop_delay_seconds',
    help: 'How late timers were since these metrics were last asked for: the median, 99 of 100, and the latest.',
    labelNames: ['quantile'],
    read: () => {
      // Each is a timer of 10 ms, with which it is measured.
      const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - 0.01)
      const readings = [
        { labels: { quantile: '0.5' }, value: late(delay.percentile(50)) },
        { labels: { quantile: '0.99' }, value: late(delay.percentile(99)) },
        { labels: { quantile: '1' }, value: late(delay.max) },
      ]
      delay.reset()
      return readings
    },
  })
  const memory: Record<string, [help: string, read: () => number]> = {
    pie_process_resident_memory_bytes: ['Memory of this process.', () => process.memoryUsage.rss()],
    pie_process_heap_bytes: ['Of it, what JavaScript uses.', () => process.memoryUsage().heapUsed],
  }
  for (const [name, [help, read]] of Object.entries(memory)) gauge({ name, help, read })
  return () => delay.disable()
}
