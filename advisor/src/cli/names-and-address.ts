import type { Command } from 'commander'
import { AdvisorError } from '../errors.ts'

/** What an option that takes several names was given, also without the option before each: `--schema app billing`. */
interface Given {
  schema?: string[]
  role?: string[]
}

export interface NamesAndAddress {
  schemas: string[] | null
  roles: string[] | null
  address: string | undefined
}

/**
 * The schemas, roles and database that a command was given, in whatever order. An option that takes several names takes
 * what follows it too; but an address can be the name of nothing.
 * @throws AdvisorError for several addresses, and where the command takes none
 */
export function readNamesAndAddress(command: Command): NamesAndAddress {
  const { schema = [], role = [] } = command.opts<Given>()
  const addresses = [...command.args, ...[...schema, ...role].filter(isAddress)]
  if (addresses.length > 0 && command.registeredArguments.length === 0)
    throw new AdvisorError(`${command.name()} takes no address here: DATABASE_URL says where.`)
  if (addresses.length > 1)
    throw new AdvisorError(`${command.name()} looks at one database, and several were named.`)
  const schemas = schema.filter((name) => !isAddress(name))
  const roles = role.filter((name) => !isAddress(name))
  for (const [option, given, left] of [
    ['--schema', schema, schemas],
    ['--role', role, roles],
  ] as const)
    if (given.length > 0 && left.length === 0)
      throw new AdvisorError(`${option} takes a name: ${command.name()} ${option} … postgres://…`)
  return {
    schemas: schemas.length > 0 ? schemas : null,
    roles: roles.length > 0 ? roles : null,
    address: addresses[0],
  }
}

const isAddress = (text: string): boolean => /^postgres(ql)?:\/\//.test(text)
