/** What the database announces to the nodes that cache. */
import { randomUUID } from 'node:crypto'
import type { PeopledDatabase } from './people.ts'

/** The version in the notice of a row that is no more. */
export const gone = '9223372036854775807'

/** Runs something, and returns the notices of everything that was committed meanwhile, in order. */
export type Hear = (work: () => Promise<unknown>) => Promise<string[]>

export async function openEar(db: PeopledDatabase): Promise<Hear> {
  const client = await db.connectAs('owner')
  let heard: string[] = []
  let mark = ''
  let reachMark = () => {}
  client.on('notification', ({ payload = '' }) => {
    if (payload === mark) reachMark()
    else heard.push(payload)
  })
  await client.query('listen pie_cache')
  /** Notices come in the order of the commits: when the mark is here, so are all before it. */
  const hearAll = async () => {
    mark = randomUUID()
    const reached = new Promise<void>((resolve) => {
      reachMark = resolve
    })
    await client.query(`select pg_notify('pie_cache', $1)`, [mark])
    await reached
    const all = heard
    heard = []
    return all
  }
  return async (work) => {
    await hearAll()
    await work()
    return hearAll()
  }
}
