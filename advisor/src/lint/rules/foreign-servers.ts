import { askersWith, nameOfRole, namesOfRoles } from '../rights/askers.ts'
import type { Rule } from '../rule.ts'

export const foreignServerGranted: Rule = {
  name: 'foreign-server-granted',
  weight: 'leak',
  why:
    'Whoever may use a foreign server can map themselves to an account there, and whoever may use a wrapper can make the ' +
    'server that runs this database connect to any other.',
  find: (catalog) => {
    const { foreignServers, foreignDataWrappers } = catalog.detours
    return [
      ...foreignServers.map((one) => ({ ...one, kind: 'foreign server' })),
      ...foreignDataWrappers.map((one) => ({ ...one, kind: 'foreign data wrapper' })),
    ].flatMap(({ kind, sql, acl, owner }) =>
      askersWith(catalog, acl, 'usage')
        .filter((role) => role !== owner)
        .map((role) => ({
          object: `grant to ${nameOfRole(catalog, role)} on ${kind} ${sql}`,
          mend: `revoke usage on ${kind} ${sql} from ${nameOfRole(catalog, role)};`,
        })),
    )
  },
}

export const everybodyMapped: Rule = {
  name: 'everybody-mapped-to-foreign-account',
  weight: 'leak',
  why:
    'A user mapping for public gives every role of this database one account on the other server: whoever is granted a ' +
    'foreign table there, or makes one, acts as it.',
  find: (catalog) =>
    catalog.detours.foreignServers
      .filter(({ mappedRoles }) => mappedRoles.includes(0))
      .map(({ sql, acl }) => {
        const users = askersWith(catalog, acl, 'usage')
        return {
          object: `user mapping for public on foreign server ${sql}`,
          ...(users.length > 0
            ? { detail: `${namesOfRoles(catalog, users)} may use the server` }
            : {}),
          mend: `-- and for those who need it: create user mapping for … server ${sql}\ndrop user mapping for public server ${sql};`,
        }
      }),
}
