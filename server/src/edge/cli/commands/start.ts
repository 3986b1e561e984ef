import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'

export function startCommand({ serve }: CommandContext): Command {
  return new Command('start')
    .description('Run Pie until it is stopped (Ctrl-C, SIGTERM), finishing the requests in flight.')
    .option('--dev', 'readable logs, with all that helps to develop')
    .action(({ dev = false }: { dev?: boolean }) => serve({ isDevelopment: dev }))
}
