import { Option } from 'commander'
import type pg from 'pg'
import { inReadOnly } from '../database/in-read-only.ts'
import { AdvisorError } from '../errors.ts'
import {
  type PresetChoice,
  presetChoices,
  type TakenNames,
  takeNames,
} from '../presets/take-names.ts'
import type { Advised } from './advised.ts'

/** `--preset`: whose agreements a command goes by. */
export const presetOption = (): Option =>
  new Option('--preset <name>', 'whose roles, helpers and schemas to know')
    .choices(presetChoices)
    .default('auto', 'what the database looks like')

/**
 * The names that a database goes by, as the command that asks knows them, the database suggests and somebody has said. On
 * standard error it says what the database was taken for.
 * @param roles those that requests act as, where somebody has named them
 * @throws AdvisorError where there is no such role: whom nobody is, nothing is found about
 */
export async function namesByPreset(
  { program, names }: Pick<Advised, 'program' | 'names'>,
  client: pg.ClientBase,
  choice: PresetChoice,
  roles: readonly string[] | null,
): Promise<TakenNames> {
  if (roles !== null) await checkRoles(client, roles)
  const known = { ...names, requestRoles: roles ?? names.requestRoles }
  const taken = await takeNames(client, choice, known)
  // That its own database is Pie's is no news to `pie`.
  if (taken.note !== null && (program !== 'pie' || taken.presets.some((name) => name !== 'pie')))
    process.stderr.write(`${program}: ${taken.note}\n`)
  // Who names roles means these, and not those of a preset besides.
  if (roles === null) return taken
  return { ...taken, names: { ...taken.names, requestRoles: roles, directRoles: [] } }
}

async function checkRoles(client: pg.ClientBase, roles: readonly string[]): Promise<void> {
  const { rows } = await inReadOnly(client, () =>
    client.query<{ rolname: string }>(
      `select rolname from pg_roles where rolname !~ '^pg_' order by rolname collate "C"`,
    ),
  )
  const there = rows.map(({ rolname }) => rolname)
  const missing = roles.find((role) => !there.includes(role))
  if (missing !== undefined)
    throw new AdvisorError(
      `There is no role ${missing} here. There are: ${there.join(', ')}. A name is written as it is, without quotes.`,
    )
}
