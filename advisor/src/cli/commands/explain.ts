import { Command } from 'commander'
import { AdvisorError } from '../../errors.ts'
import { explainAccess } from '../../explain/explain-access.ts'
import { subjectOfRole } from '../../explain/subject-of-role.ts'
import { type Advised, jsonOption, print } from '../advised.ts'
import { explanationInWords } from '../explanation-in-words.ts'
import { questionOptions, readQuestion } from '../question-options.ts'

interface ExplainOptions {
  role: string
  setting?: Record<string, string>
  json?: boolean
}

/** For any database: who asks is a role, and the settings by which the application's policies know whom. */
export function explainCommand({ address, onDatabase }: Advised): Command {
  const command = new Command('explain')
    .description(
      'Say why a role can or cannot see or change a row. Tries it as that role, and rolls it back.',
    )
    .requiredOption('--role <name>', 'the database role that asks')
    .option(
      '--setting <name=value>',
      'a setting that its policies read; may be repeated',
      (text: string, others: Record<string, string> = {}) => ({ ...others, ...readSetting(text) }),
    )
  questionOptions(command).option(...jsonOption)
  if (address !== undefined) command.argument(address.flags, address.description)
  return command.action(async () => {
    const { role, setting = {}, ...output } = command.opts<ExplainOptions>()
    const question = readQuestion(command)
    const explanation = await onDatabase(command.args[0], (client) =>
      explainAccess(client, subjectOfRole(role, setting), question),
    )
    print(explanation, explanationInWords(explanation), output)
  })
}

function readSetting(text: string): Record<string, string> {
  const [, name, value] = /^([a-z_][\w.]*)=(.*)$/is.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new AdvisorError('--setting takes a name and a value: --setting app.user_id=7')
  return { [name]: value }
}
