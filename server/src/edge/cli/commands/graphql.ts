import { Command } from 'commander'
import type { PoolClient } from 'pg'
import { sendTogether } from '../../../ground/database/pipeline.ts'
import { loadOptional } from '../../../ground/load-optional.ts'
import { graphqlPackages } from '../../graphql/graphql-packages.ts'
import type { CheckedGraphql } from '../../graphql/schema/check-graphql.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function graphqlCommand(context: CommandContext): Command {
  return new Command('graphql').description('GraphQL.').addCommand(check(context))
}

function check({ onDatabase }: CommandContext): Command {
  return new Command('check')
    .description(
      'Build what GraphQL shows of the schemas in GRAPHQL_SCHEMAS, and say what it shows under another name or not at all. ' +
        'Ends with 1 when something is left out.',
    )
    .option(...jsonOption)
    .action(async (output: { json?: boolean }) => {
      const { schemas, checked } = await onDatabase(async ({ owner, graphqlSchemas, findPie }) => {
        await findPie()
        const database = {
          send: (...statements: Parameters<typeof sendTogether>[1][number][]) =>
            sendTogether(owner as unknown as PoolClient, statements),
        }
        const checked = await loadOptional(graphqlPackages, async () => {
          const { checkGraphql } = await import('../../graphql/schema/check-graphql.ts')
          return checkGraphql(database, graphqlSchemas)
        })
        return { schemas: graphqlSchemas, checked }
      })
      print({ schemas, ...checked }, inWords(schemas, checked), output)
      const isWhole = checked.problems.every(({ kind }) => kind === 'renamed')
      if (!isWhole || checked.missing.length > 0) process.exitCode = 1
    })
}

function inWords(schemas: readonly string[], { missing, there, problems }: CheckedGraphql): string {
  const found = schemas.filter((schema) => !missing.includes(schema))
  const looked =
    schemas.length === 0
      ? 'Looked at what GraphQL shows: GRAPHQL_SCHEMAS names no schema.'
      : found.length > 0
        ? `Looked at what GraphQL shows: ${found.join(', ')}.`
        : 'Of what GRAPHQL_SCHEMAS names, nothing is there: GraphQL shows what is Pie’s own.'
  const whole =
    found.length === 0 && missing.length > 0 ? [] : ['Everything is shown under its own name.']
  const texts = problems.map(({ object, what, mend }) => `${object} ${what}.\n    ${mend}`)
  const lines = [...new Set(texts)].map((text) => {
    const roles = problems.filter((_, index) => texts[index] === text).map(({ role }) => role)
    return `  ${[...new Set(roles)].join(', ')}: ${text}`
  })
  return [
    looked,
    ...missing.map(
      (name) =>
        `  There is no schema ${name}: GRAPHQL_SCHEMAS names it as it is written there, capitals too. ` +
        `There are: ${there.length > 0 ? there.join(', ') : 'none but Pie’s own'}.`,
    ),
    ...(lines.length === 0 ? whole : lines),
  ].join('\n')
}
