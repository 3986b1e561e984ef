import type pg from 'pg'
import { type Advised, type Finding, namesOfPie } from '../../../../advisor/src/index.ts'
import { askingAsOwner } from '../../features/operations/doctor/asking.ts'
import { examine, type Logins } from '../../features/operations/doctor/examine.ts'
import { systemClock } from '../../ground/clock.ts'
import { isPieThere } from '../../ground/database/applied-migrations.ts'
import type { CommandContext, LookContext } from './command-context.ts'

export { namesOfPie }

/** The advisor's commands as commands of `pie`, on its database as it is. */
export const advisedAsOwner = (context: CommandContext): Advised => advised(context, async () => {})

/** The same, where Pie has to be there. */
export const advisedOnPie = (context: CommandContext): Advised =>
  advised(context, ({ findPie }) => findPie())

/** What the doctor finds open, they name too. */
function advised(
  { onDatabase }: CommandContext,
  prepare: (place: LookContext) => Promise<void>,
): Advised {
  let logins: Logins = { requests: 'cream', auth: 'pie_auth' }
  return {
    program: 'pie',
    onDatabase: (_address, work) =>
      onDatabase(async (place) => {
        await prepare(place)
        logins = place.logins
        return work(place.owner)
      }),
    names: namesOfPie,
    alsoFound: (client) => findOpenings(client, logins),
  }
}

async function findOpenings(client: pg.Client, logins: Logins): Promise<Finding[]> {
  if (!(await isPieThere(client))) return []
  const findings = await askingAsOwner(client, (ask) => examine(ask, systemClock, logins))
  return (
    findings
      // What the advisor finds by itself is not told twice.
      .filter(({ weight, check }) => weight === 'opens' && check !== 'owned-by-requests')
      .map(({ check, object, what, why, mend }) => ({
        rule: check,
        weight: 'hole' as const,
        detail: null,
        object,
        why: `It ${what}. ${why}`,
        mend: mend ?? 'pie doctor says more',
      }))
  )
}
