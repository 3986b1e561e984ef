import type { Catalog } from '../catalog/catalog.ts'
import type { ExposedParameter } from './exposure.ts'
import { isGranted } from './privileges.ts'
import type { Standing } from './standing.ts'

/** Settings of the server that were granted to one of these roles. */
export const exposeParameters = (
  { parameters }: Catalog,
  roles: readonly Standing[],
): ExposedParameter[] =>
  parameters
    .map(({ name, acl }) => ({
      name,
      access: roles.flatMap((role) => {
        const actions = (['set', 'alter system'] as const).filter(
          (privilege) => !role.isSuperuser && isGranted(acl, role, privilege),
        )
        return actions.length === 0 ? [] : [{ role: role.name, actions }]
      }),
    }))
    .filter(({ access }) => access.length > 0)
