import { Refusal } from '../errors.ts'
import { WAIT_FOR_CONNECTION_MS } from './lost-connection.ts'

/** Waits until one more of what is shared may be had. What is returned gives it back. */
export type TakeShare = () => Promise<() => void>

interface Sharer {
  taken: number
  /** Whoever waits, in the order in which they came. */
  waiting: (() => void)[]
}

/**
 * Lets each of many, by name, have so many of a thing at once and no more. Whoever wants more waits for what they have
 * taken themselves, and holds nobody else up.
 *
 * @throws Refusal `busy`, where that takes too long
 */
export function createShares(most: number): (name: string) => TakeShare {
  const sharers = new Map<string, Sharer>()
  return (name) => async () => {
    const sharer = sharers.get(name) ?? { taken: 0, waiting: [] }
    sharers.set(name, sharer)
    if (sharer.taken < most) sharer.taken += 1
    else await waitIn(sharer.waiting)
    return () => {
      const next = sharer.waiting.shift()
      // It goes from hand to hand.
      if (next !== undefined) return next()
      sharer.taken -= 1
      if (sharer.taken === 0) sharers.delete(name)
    }
  }
}

/** Takes one of each, in this order. Whoever waits for the second holds the first up, and nobody else. */
export const takeBoth =
  (first: TakeShare, second: TakeShare): TakeShare =>
  async () => {
    const giveFirst = await first()
    const giveSecond = await second().catch((error) => {
      giveFirst()
      throw error
    })
    return () => {
      giveSecond()
      giveFirst()
    }
  }

function waitIn(waiting: (() => void)[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = () => {
      clearTimeout(giveUp)
      resolve()
    }
    const giveUp = setTimeout(() => {
      waiting.splice(waiting.indexOf(next), 1)
      reject(new Refusal('busy', { retryAfterSeconds: 2 }))
    }, WAIT_FOR_CONNECTION_MS)
    waiting.push(next)
  })
}
