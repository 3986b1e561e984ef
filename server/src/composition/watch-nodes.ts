/** Says to the other nodes of a database that this one is there, and to its operator what they have not alike. */
import { randomUUID } from 'node:crypto'
import type { Pie } from '../edge/http/pie.ts'
import {
  announceNode,
  differences,
  forgetNode,
  sharedSettings,
} from '../features/operations/announce-node.ts'
import { ownPackage } from '../ground/own-package.ts'

const EVERY_MS = 60_000

/** @returns what takes this node off the list */
export async function watchNodes(
  pie: Pick<Pie, 'auth' | 'policy' | 'log'>,
): Promise<() => Promise<void>> {
  const id = randomUUID()
  const told = new Set<string>()
  const look = async () => {
    try {
      const settings = sharedSettings(pie.policy)
      const others = await announceNode(pie, { id, version: ownPackage.version, settings })
      const different = new Set(others.flatMap((other) => differences(settings, other.settings)))
      for (const one of different) if (!told.has(one)) pie.log.warn(adviceFor(one))
      told.clear()
      for (const one of different) told.add(one)
    } catch (error) {
      pie.log.warn({ err: error }, 'could not look for other nodes')
    }
  }
  const timer = setInterval(look, EVERY_MS)
  timer.unref()
  // The port, and so the origin, is known only when the server listens.
  const first = setTimeout(look, 500)
  first.unref()
  return async () => {
    clearInterval(timer)
    clearTimeout(first)
    await forgetNode(pie, id).catch(() => {})
  }
}

const adviceFor = (difference: string): string =>
  `another node of this database has another ${difference}: set it to the same on all of them` +
  (difference.startsWith('SERVICE_DOMAIN')
    ? '. Until then each refuses the access tokens of the other, with 401.'
    : '.')
