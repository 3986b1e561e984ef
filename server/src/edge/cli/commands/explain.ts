import { Command } from 'commander'
import {
  explanationInWords,
  questionOptions,
  readQuestion,
} from '../../../../../advisor/src/index.ts'
import { explainAccess } from '../../../features/operations/explain-access.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

interface ExplainOptions {
  user: string
  json?: boolean
}

export function explainCommand({ asOwner }: CommandContext): Command {
  const command = new Command('explain')
    .description(
      'Say why a user can or cannot see or change a row. Tries it as that user, and rolls it back.',
    )
    .requiredOption('--user <email or id>', 'who')
  questionOptions(command).option(...jsonOption)
  return command.action(async () => {
    const { user, ...output } = command.opts<ExplainOptions>()
    const question = readQuestion(command)
    const explanation = await asOwner(async (context) => {
      await context.prepare()
      return explainAccess(context, context.owner, user, question)
    })
    print(explanation, explanationInWords(explanation), output)
  })
}
