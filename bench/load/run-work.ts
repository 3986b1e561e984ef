import { quantile } from '../quantile.ts'

export interface WorkMeasurement {
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/** Does the same again and again for a while in this process, so many at once. */
export async function runWork(
  { seconds, atOnce }: { seconds: number; atOnce: number },
  work: () => Promise<void>,
): Promise<WorkMeasurement> {
  const latenciesMs: number[] = []
  const endMs = performance.now() + seconds * 1000
  const repeat = async () => {
    for (;;) {
      const beganMs = performance.now()
      await work()
      const doneMs = performance.now()
      if (doneMs > endMs) return
      latenciesMs.push(doneMs - beganMs)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, repeat))
  return {
    perSecond: latenciesMs.length / seconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  }
}
