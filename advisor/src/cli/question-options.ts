import { type Command, InvalidArgumentError, Option } from 'commander'
import { AdvisorError } from '../errors.ts'
import type { AccessQuestion } from '../explain/explain-access.ts'
import { type Action, explainedActions } from '../explain/explanation.ts'

interface QuestionOptions {
  table: string
  row?: string
  action: Action
  set?: string
  timeout: number
}

/** Adds to a command what can be asked about somebody's access. Who it is, the command itself asks. */
export function questionOptions(command: Command): Command {
  return command
    .requiredOption('--table <schema.table>', 'where')
    .option(
      '--row <key>',
      'the primary key, or JSON for several columns; for an insert, the new row as JSON. Without, the whole table is tried',
    )
    .addOption(new Option('--action <action>', 'what').choices(explainedActions).default('select'))
    .option('--set <json>', 'what an update sets')
    .option('--timeout <seconds>', 'how long a statement may take', readSeconds, 15)
}

/** @throws AdvisorError for options that do not go together */
export function readQuestion(command: Command): AccessQuestion {
  const { table, row = null, action, set = null, timeout } = command.opts<QuestionOptions>()
  if (set !== null && (action !== 'update' || row === null))
    throw new AdvisorError('--set is for --action update with a --row.')
  return { table, action, row, set, timeoutSeconds: timeout }
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= 3600))
    throw new InvalidArgumentError('It takes seconds, more than 0 and at most 3600.')
  return seconds
}
