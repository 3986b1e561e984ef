/** A thread that plays: beside `node:test`, whose hooks make every promise ten times as slow, and on a core of its own. */
import { Worker } from 'node:worker_threads'
import type { Played } from './play.ts'

export interface Batch {
  seed: number
  count: number
  /** The name of a rule that nodes do not keep; none where they keep all. */
  without?: string | undefined
}

export interface Player {
  /** One batch at a time. */
  play(batch: Batch): Promise<Played>
  stop(): Promise<unknown>
}

export function startPlayer(): Player {
  const thread = new Worker(new URL('./player-thread.ts', import.meta.url))
  const failed = new Promise<never>((_, reject) => thread.once('error', reject))
  failed.catch(() => {})
  return {
    play: (batch) => {
      const played = new Promise<Played>((resolve) => thread.once('message', resolve))
      thread.postMessage(batch)
      return Promise.race([played, failed])
    },
    stop: () => thread.terminate(),
  }
}
