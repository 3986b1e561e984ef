import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Measurement, report } from '../measurement.ts'
import type { Options } from '../options.ts'
import { startPie } from '../servers/start-pie.ts'

/** Each takes some seconds, and they differ little. */
const MOST_ROUNDS = 3

/** From the start of the process to the first answered request, in an empty DATA_DIR and in a used one. */
export async function measureStart(
  inDirectory: string,
  { rounds }: Options,
  onStarted: (stop: () => Promise<void>) => void,
): Promise<Measurement[]> {
  const first: number[] = []
  const warm: number[] = []
  for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round += 1) {
    const directory = join(inDirectory, `start-${round}`)
    await mkdir(directory, { mode: 0o711 })
    const secretKey = randomBytes(33).toString('base64url')
    for (const durations of [first, warm]) {
      const pie = await startPie({ directory, secretKey, onStarted })
      durations.push(pie.startMs)
      await pie.stop()
    }
    await rm(directory, { recursive: true })
  }
  return [
    report({ scenario: 'first start', unit: 'ms', aim: null }, first),
    report({ scenario: 'warm start', unit: 'ms', aim: null }, warm),
  ]
}
