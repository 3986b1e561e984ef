import type { Catalog, Column, Relation, Role } from '../../catalog/catalog.ts'
import { canBecome } from '../../catalog/memberships.ts'
import { readsIn } from '../reads/expression-reads.ts'
import {
  allGrants,
  askedRelations,
  byGrantee,
  grantable,
  grantInWords,
  grantsOn,
  type RelationGrant,
  roleIn,
} from '../rights/relation-grants.ts'
import { inheritedBy, isPastPolicies, isServed, mayOn, policiesFor } from '../rights/role-rights.ts'
import { rolesOfNobody } from '../rights/roles-of-nobody.ts'
import type { Fault, Rule } from '../rule.ts'

/**
 * Trees name things by number: what a policy, a view or a function's parsed body asks for is found without a right on its
 * schema. So is a sequence, by the default of a column.
 */
export const grantInSchemaWithoutUsage: Rule = {
  name: 'grant-in-schema-without-usage',
  weight: 'failure',
  why:
    'A name is looked up in its schema, which they may not use: whatever was granted them there, statements that name ' +
    'it are refused.',
  find: (catalog) => {
    const found = new Map<string, { role: number; relations: Relation[] }>()
    let inTrees: ReadonlySet<number> | null = null
    for (const relation of askedRelations(catalog)) {
      if (relation.kind === 'S') continue
      const grantees = new Set(grantsOn(relation).map(({ grantee }) => grantee))
      for (const role of grantees) {
        if (role === 0 || mayUse(catalog, role, relation)) continue
        inTrees ??= namedInTrees(catalog)
        if (inTrees.has(relation.oid)) continue
        const key = `${role} ${relation.schema.oid}`
        const known = found.get(key) ?? { role, relations: [] }
        known.relations.push(relation)
        found.set(key, known)
      }
    }
    return [...found.values()].map(({ role, relations }) => unusable(catalog, role, relations))
  },
}

const mayUse = (catalog: Catalog, role: number, relation: Relation): boolean =>
  isServed(catalog, role, relation, (heir) => mayOn(catalog, heir, relation.schema, 'usage'))

function namedInTrees({ relations, functions }: Catalog): Set<number> {
  const trees = [...relations.values()].flatMap((relation) => [
    ...relation.policies.flatMap(({ using, check }) => [using, check]),
    ...relation.rules.map(({ action }) => action),
  ])
  const bodies = [...functions.values()].map(({ sqlBody }) => sqlBody)
  const named = [...trees, ...bodies].flatMap((one) =>
    one === null ? [] : [...readsIn(one.tree).relations.keys()],
  )
  return new Set(named)
}

function unusable(catalog: Catalog, oid: number, relations: readonly Relation[]): Fault {
  const role = roleIn(catalog, oid)
  const schema = (relations[0] as Relation).schema.sql
  const named = relations
    .slice(0, 3)
    .map(({ sql }) => sql)
    .join(', ')
  return {
    object: `grants to ${role} in schema ${schema}`,
    detail: relations.length > 3 ? `${named} and ${relations.length - 3} more` : named,
    mend: [
      `-- or, where they are to reach it: grant usage on schema ${schema} to ${role};`,
      ...relations.map((relation) => `revoke all on ${grantable(relation)} from ${role};`),
    ].join('\n'),
  }
}

/** A role of requests that logs in and then becomes another one has nothing to do by itself. */
export const grantToLoginRole: Rule = {
  name: 'grant-to-login-role',
  weight: 'hole',
  why:
    'Every connection begins as this role, before it takes that of who asks, and comes back to it: what it may do itself, ' +
    'anybody may who gets a statement in between.',
  find: (catalog) => {
    const logins = new Set(
      [...catalog.roles.values()]
        .filter((role) => becomesOthers(catalog, role))
        .map(({ oid }) => oid),
    )
    const grants = allGrants(catalog).filter(({ grantee }) => logins.has(grantee))
    return byGrantee(grants).map((same) => {
      const { relation, grantee } = same[0] as RelationGrant
      return {
        object: grantInWords(catalog, relation, grantee),
        ...(same.some((grant) => givesRows(catalog, grant)) ? {} : { weight: 'style' as const }),
        mend:
          `-- and grant it to the role that needs it\n` +
          `revoke all on ${grantable(relation)} from ${roleIn(catalog, grantee)};`,
      }
    })
  },
}

/** One that inherits has their rights anyway: then it is told what it is. */
function becomesOthers(catalog: Catalog, { oid, canLogin, inherits }: Role): boolean {
  if (!canLogin || inherits || !catalog.requestRoles.has(oid)) return false
  return [...canBecome(catalog.roles, oid)].some(
    (role) => role !== oid && !inheritedBy(catalog, oid).has(role),
  )
}

function givesRows(catalog: Catalog, { relation, privilege, grantee }: RelationGrant): boolean {
  const command = (['select', 'insert', 'update', 'delete'] as const).find(
    (one) => one === privilege,
  )
  if (command === undefined || relation.kind === 'S') return false
  return (
    isPastPolicies(catalog, grantee, relation) ||
    policiesFor(catalog, grantee, relation, command).some(({ isPermissive }) => isPermissive)
  )
}

export const grantToNobody: Rule = {
  name: 'grant-to-nobody',
  weight: 'style',
  why:
    'The role cannot log in, and nobody is a member of it: the grant serves nobody today, and whoever is made a member ' +
    'one day has it without anybody having thought of it.',
  find: (catalog) => {
    const idle = rolesOfNobody(catalog)
    const isIdle = ({ grantee }: RelationGrant) => idle.has(grantee)
    return byGrantee(allGrants(catalog).filter(isIdle)).map((same) => {
      const { relation, grantee } = same[0] as RelationGrant
      return {
        object: grantInWords(catalog, relation, grantee),
        mend: `revoke all on ${grantable(relation)} from ${roleIn(catalog, grantee)};`,
      }
    })
  },
}

export const grantedWithGrantOption: Rule = {
  name: 'granted-with-grant-option',
  weight: 'hole',
  why: 'Whoever may pass a right on may give it to everybody: who has it is then no longer what your migrations say.',
  find: (catalog) =>
    byGrantee(
      allGrants(catalog).filter(
        ({ isGrantable, grantee }) => isGrantable && catalog.requestRoles.has(grantee),
      ),
    ).map((same) => {
      const { relation, grantee } = same[0] as RelationGrant
      return {
        object: grantInWords(catalog, relation, grantee),
        detail: [...new Set(same.map(({ privilege }) => privilege))].sort().join(', '),
        mend: `revoke grant option for all on ${grantable(relation)} from ${roleIn(catalog, grantee)} cascade;`,
      }
    }),
}

/** What Postgres fills itself may be written by nobody, whatever was granted. */
export const grantOnGeneratedColumn: Rule = {
  name: 'grant-on-generated-column',
  weight: 'failure',
  why:
    'The database alone fills a column that is generated, or an identity that is always so: whoever writes it as they ' +
    'were granted is refused.',
  find: (catalog) =>
    askedRelations(catalog).flatMap((relation) =>
      relation.columns.filter(isFilled).flatMap((column) => {
        const grants = column.acl.filter(
          ({ privilege, grantee }) =>
            grantee !== relation.owner && (privilege === 'insert' || privilege === 'update'),
        )
        return [...Map.groupBy(grants, ({ grantee }) => grantee)].map(([grantee, same]) => {
          const rights = same.map(({ privilege }) => `${privilege} (${column.sql})`).join(', ')
          return {
            object: `grant to ${roleIn(catalog, grantee)} on column ${relation.sql}.${column.sql}`,
            mend: `revoke ${rights} on ${relation.sql} from ${roleIn(catalog, grantee)};`,
          }
        })
      }),
    ),
}

const isFilled = ({ isGenerated, identity }: Column): boolean => isGenerated || identity === 'a'
