import type { Catalog, Command, Policy, Relation } from '../../catalog/catalog.ts'
import { roleIn } from '../rights/relation-grants.ts'
import { heirsOf } from '../rights/role-rights.ts'

/** Takes commands from a role, and drops the policies that were for nothing else. */
export function revokeWithPolicies(
  catalog: Catalog,
  relation: Relation,
  grantee: number,
  commands: readonly Command[],
): string {
  const heirs = new Set(heirsOf(catalog, grantee))
  const isLeftOver = ({ command, roles }: Policy) =>
    commands.includes(command) &&
    roles.every((role) => role !== 0 && heirsOf(catalog, role).every((heir) => heirs.has(heir)))
  return [
    `revoke ${commands.join(', ')} on ${relation.sql} from ${roleIn(catalog, grantee)};`,
    ...relation.policies
      .filter(isLeftOver)
      .map(({ sql }) => `drop policy if exists ${sql} on ${relation.sql};`),
  ].join('\n')
}
