import { askAll } from '../load/ask-all.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { readCacheCounts } from '../stage/cache-status.ts'
import { forgedSessionExchange } from '../stage/cookie-session.ts'
import { prepareBare } from '../stage/floor-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers } from './compare-servers.ts'

const COOKIES = 2_000

/** What it costs to refuse forged cookies, beside a bare route that answers the same bytes. */
export async function measureForged(stage: Stage, options: Options): Promise<Measurement[]> {
  const { pie, floor, keys } = stage
  const cookies = stage.cookies.slice(0, COOKIES)
  const exchanges = cookies.map((cookie, place) =>
    forgedSessionExchange(cookie, cookies[(place + 1) % cookies.length] ?? cookie),
  )
  const before = await readCacheCounts(pie, keys)
  const [answer] = await askAll(pie.address, exchanges)
  const onFloor = await prepareBare(floor, answer)
  const onPie = takeTurns(exchanges)
  const description = { scenario: 'forged', aim: '≥ 0.8' }
  const compared = await compareServers(description, stage, options, { onFloor, onPie })
  const after = await readCacheCounts(pie, keys)
  if (JSON.stringify(after) !== JSON.stringify(before))
    throw new Error('a session was looked up for a forged cookie')
  return [compared]
}
