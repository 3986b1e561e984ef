import { parentPort } from 'node:worker_threads'
import { play } from './play.ts'
import type { Batch } from './player.ts'
import { rules } from './rules.ts'
import { realParts } from './simulated-node.ts'

parentPort?.on('message', async ({ seed, count, without }: Batch) => {
  const parts = { ...realParts, ...(without === undefined ? {} : rules[without]) }
  parentPort?.postMessage(await play({ seed, count }, parts))
})
