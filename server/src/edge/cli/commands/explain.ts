import { Command, Option } from 'commander'
import { explainAccess } from '../../../features/explain/explain-access.ts'
import { type Action, explainedActions } from '../../../features/explain/explanation.ts'
import { OperatorError } from '../../../ground/errors.ts'
import { explanationInWords } from '../explanation-in-words.ts'
import { jsonOption, print } from '../print.ts'
import type { Workplace } from '../workplace.ts'

interface ExplainOptions {
  user: string
  table: string
  row?: string
  action: Action
  set?: string
  json?: boolean
}

export function explainCommand({ asOwner }: Workplace): Command {
  return new Command('explain')
    .description(
      'Say why a user can or cannot see or change a row. Tries it as that user, and rolls it back.',
    )
    .requiredOption('--user <email or id>', 'who')
    .requiredOption('--table <schema.table>', 'where')
    .option(
      '--row <key>',
      'the primary key, or JSON for one of several columns; for an insert, the new row as JSON',
    )
    .addOption(new Option('--action <action>', 'what').choices(explainedActions).default('select'))
    .option('--set <json>', 'what an update sets')
    .option(...jsonOption)
    .action(async ({ user, table, row, action, set, ...output }: ExplainOptions) => {
      if (set !== undefined && (action !== 'update' || row === undefined))
        throw new OperatorError('--set is for --action update with a --row.')
      const explanation = await asOwner(async (place) => {
        await place.prepare()
        return explainAccess(place, place.owner, {
          user,
          table,
          action,
          row: row ?? null,
          set: set ?? null,
        })
      })
      print(explanation, explanationInWords(explanation), output)
    })
}
