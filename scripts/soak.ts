/**
 * `npm run soak -- --minutes 30`: plays the promise of the cache on fresh schedules, on all cores, until the time is
 * over or one breaks it. That one is printed, cut down, and the exit code is 1.
 *
 *     --minutes N        how long; 5 unless told
 *     --workers N        how many at once; one for each core unless told
 *     --seed N           plays the schedules of one batch again, which is how a failure is repeated
 *     --schedule JSON    plays one schedule, as it was printed
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Breach, breachOf, play } from '../test/model/play.ts'
import { startPlayer } from '../test/model/player.ts'

/** How many schedules are drawn from one seed. */
const BATCH = 1_000

const REPORT_EVERY_MS = 60_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    schedule: { type: 'string' },
  },
})

const [minutes, workers] = [Number(values.minutes), Number(values.workers)]
if (!(minutes > 0 && workers >= 1)) throw new Error('--minutes and --workers are numbers above 0')

const say = (text: string) => process.stdout.write(`${text}\n`)

function tell({ schedule, message }: Breach, seed?: number): void {
  const json = JSON.stringify(schedule)
  say(`\n${message}\n\nAfter ${schedule.steps.length} steps:\n${json}\n`)
  say(`Once more: npm run soak -- --schedule '${json}'`)
  if (seed !== undefined) say(`All of it: npm run soak -- --seed ${seed}`)
  process.exitCode = 1
}

/** Until the time is over, or one has broken the promise. */
async function soak() {
  const began = performance.now()
  let played = 0
  const report = () => {
    const seconds = (performance.now() - began) / 1_000
    const rate = Math.round(played / seconds)
    say(
      `${played.toLocaleString('en')} schedules in ${Math.round(seconds)} s: ${rate} a second on ${workers}`,
    )
  }
  const reporting = setInterval(report, REPORT_EVERY_MS)
  const isOver = () => performance.now() - began > minutes * 60_000
  const broken: { breach: Breach; seed: number }[] = []
  const playOn = async () => {
    const player = startPlayer()
    while (broken.length === 0 && !isOver()) {
      const seed = randomInt(2 ** 31)
      const batch = await player.play({ seed, count: BATCH })
      played += batch.count
      if (batch.breach !== null) broken.push({ breach: batch.breach, seed })
    }
    await player.stop()
  }
  await Promise.all(Array.from({ length: workers }, playOn))
  clearInterval(reporting)
  report()
  return broken
}

if (values.schedule !== undefined) {
  const schedule = JSON.parse(values.schedule)
  const message = await breachOf(schedule)
  if (message === null) say('The promise is kept.')
  else tell({ schedule, message })
} else if (values.seed !== undefined) {
  const { count, breach } = await play({ seed: Number(values.seed), count: BATCH })
  if (breach === null) say(`${count} schedules keep the promise.`)
  else tell(breach)
} else {
  const broken = await soak()
  for (const { breach, seed } of broken) tell(breach, seed)
}
