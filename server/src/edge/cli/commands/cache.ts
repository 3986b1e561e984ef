import { Command } from 'commander'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function cacheCommand(context: CommandContext): Command {
  return new Command('cache')
    .description('See what a running node believes of what it has cached.')
    .addCommand(statusCommand(context))
}

/** What `GET /health/cache` answers. */
interface CacheStatus {
  hears: boolean
  silent_for_ms: number | null
  trust_ms: number
  horizon: string | null
  floors: number
  shared: string
  entries: number
  hits: number
  shared_hits: number
  reads: number
}

function statusCommand({ askNode }: CommandContext): Command {
  return new Command('status')
    .description('Ask a node what it believes and why: the one at SOCKET, or at another address.')
    .argument('[address]', 'where the node listens, such as http://10.0.0.2:3000')
    .option(...jsonOption)
    .action(async (address: string | undefined, output: { json?: boolean }) => {
      const answer = await askNode('/health/cache', address ?? null)
      if (!isStatus(answer)) throw new OperatorError('This is no answer of Pie’s: is it a Pie?')
      print(answer, describe(answer), output)
    })
}

const isStatus = (answer: unknown): answer is CacheStatus =>
  typeof answer === 'object' && answer !== null && 'hears' in answer && 'trust_ms' in answer

function describe(status: CacheStatus): string {
  const heard =
    status.silent_for_ms === null
      ? 'no heartbeat has come back yet'
      : `the last heartbeat that came back was sent ${status.silent_for_ms} ms ago`
  const why = status.hears
    ? `yes: ${heard}, and ${status.trust_ms} ms are allowed`
    : `no: ${heard}${status.horizon === null ? ', and it is not known since when all changes were heard' : ''}`
  return [
    `believes its cache  ${why}`,
    `horizon             ${status.horizon ?? 'unknown'} (what was read before is read again)`,
    `floors              ${status.floors} changes heard of since then`,
    `in memory           ${status.entries} sessions`,
    `shared cache        ${status.shared}`,
    `answers             ${status.hits} from memory, ${status.shared_hits} from the shared cache, ${status.reads} from Postgres`,
  ].join('\n')
}
