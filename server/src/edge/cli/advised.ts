import type { Advised, Names } from '../../../../advisor/src/index.ts'
import type { CommandContext } from './command-context.ts'

/** What the advisor has to be told of a database with Pie on it. */
export const namesOfPie: Names = {
  requestRoles: ['cream', 'webuser', 'webadmin', 'pie_auth'],
  hookSchemas: ['pie_hooks'],
  shownRoles: ['cream', 'pie_auth', 'webuser', 'webadmin', 'PUBLIC'],
  note:
    "Where a policy says `current_user_id()`, `has_role()` or another of Pie's helpers, a role sees rows only after\n" +
    'it has proven a session.',
}

/** The advisor's commands as commands of `pie`, on its database as it is. */
export const advisedAsOwner = ({ onDatabase }: CommandContext): Advised => ({
  program: 'pie',
  onDatabase: (_address, work) => onDatabase(({ owner }) => work(owner)),
  names: namesOfPie,
})

/** The same, where Pie has to be there. */
export const advisedOnPie = (context: CommandContext): Advised => ({
  ...advisedAsOwner(context),
  onDatabase: (_address, work) =>
    context.onDatabase(async ({ owner, findPie }) => {
      await findPie()
      return work(owner)
    }),
})
