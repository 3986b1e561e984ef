import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import type { TreeNode } from '../../catalog/parse-node-tree.ts'
import { childrenOf } from '../../catalog/parse-node-tree.ts'
import type { Standing, Standings } from '../standing.ts'
import { combine, fold } from './fold.ts'

type Command = 'select' | 'insert' | 'update' | 'delete'

/** Why row-level security does not bind a role on a table, as check_enable_rls() in Postgres decides it. */
export function reasonToPass(
  standings: Pick<Standings, 'hasRightsOf'>,
  { rowSecurity, forced, owner, schema }: Relation,
  role: Standing,
): string | null {
  if (!rowSecurity || schema.isOfPostgres) return 'row-level security is off'
  if (role.isSuperuser) return 'a superuser is past row-level security'
  if (role.bypassesRowSecurity) return 'the role bypasses row-level security'
  if (!forced && standings.hasRightsOf(role, owner))
    return 'the role owns the table, and row-level security is not forced on its owner'
  return null
}

/** The policies of a table that are asked about a command, of those that apply to a role. */
export const policiesFor = (relation: Relation, role: Standing, asked: Command): Policy[] =>
  relation.policies.filter(
    ({ command, roles }) =>
      (command === asked || command === 'all') && roles.some((oid) => role.has.has(oid)),
  )

/** What is left of a combination of policies. */
export interface Combined {
  /** Conditions that are evaluated. */
  parts: TreeNode[]
  /** Those that are left out by some planners: beside one that is false. */
  perhaps: TreeNode[]
  /** All of them, where one has a sub-select: the rewriter walks through them whatever the planner leaves. */
  walked: TreeNode[]
}

/** As add_security_quals() and add_with_check_options() put policies together. */
export function combinePolicies(
  catalog: Catalog,
  policies: readonly Policy[],
  isCheck: boolean,
): Combined {
  const partOf = ({ using, check }: Policy) => (isCheck ? (check ?? using) : using)
  const asked = policies.flatMap((policy) => {
    const tree = partOf(policy)?.tree
    return tree === undefined ? [] : [{ policy, tree }]
  })
  // Without a permissive one there is nothing but false.
  if (!asked.some(({ policy }) => policy.isPermissive))
    return { parts: [], perhaps: [], walked: [] }
  const folded = asked.map(({ policy, tree }) => ({ policy, folded: fold(catalog, tree) }))
  const of = (isPermissive: boolean) =>
    folded.filter(({ policy }) => policy.isPermissive === isPermissive).map((one) => one.folded)
  const conditions = [combine(of(true), true), ...of(false)]
  const open = conditions.flatMap((one) => (one.constant === null ? one.parts : []))
  // What is written is checked against each by itself.
  const isNever = !isCheck && conditions.some(({ constant }) => constant === false)
  // One that the planner computes may turn out to be false.
  const isUnknown =
    !isCheck &&
    conditions.length > 1 &&
    conditions.some((one) => one.constant === null && one.isComputable)
  return {
    parts: isNever || isUnknown ? [] : open,
    perhaps: [...(isNever || isUnknown ? open : []), ...conditions.flatMap((one) => one.perhaps)],
    walked: asked.some(({ policy }) => hasSubSelect(policy)) ? asked.map(({ tree }) => tree) : [],
  }
}

const known = new WeakMap<Policy, boolean>()

function hasSubSelect(policy: Policy): boolean {
  const found =
    known.get(policy) ??
    [policy.using, policy.check].some((part) => part !== null && hasSubLink(part.tree))
  known.set(policy, found)
  return found
}

const hasSubLink = (node: TreeNode): boolean =>
  node.type === 'SUBLINK' || childrenOf(node).some(hasSubLink)
