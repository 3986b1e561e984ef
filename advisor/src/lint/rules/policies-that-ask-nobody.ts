import type { Expression, Policy } from '../../catalog/catalog.ts'
import { childrenOf, type TreeNode } from '../../catalog/parse-node-tree.ts'
import type { Names } from '../../names.ts'
import { isPresence } from '../asking/is-presence.ts'
import { columnsBelow } from '../asking/pinned-columns.ts'
import { intersect, nameRoles } from '../asking/reach.ts'
import {
  isOpenFor,
  isRestricted,
  type Surroundings,
  surroundingsOf,
} from '../asking/surroundings.ts'
import type { Place } from '../expressions/unwrap.ts'
import { closePolicy, conditionsFor, excerpt } from '../mends/policy-expressions.ts'
import type { Fault, Rule } from '../rule.ts'

const writing = ['insert', 'update', 'delete'] as const
type Writing = (typeof writing)[number]

export const policyLetsEverybodyWrite: Rule = {
  name: 'policy-lets-everybody-write',
  weight: 'hole',
  why:
    'It does not ask who writes: whoever gets as far as the role writes to rows of everybody. Permissive policies ' +
    'add up, so that no other one takes this away.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.opening.flatMap((policy) => everybodyWrites(around, policy, names))
  },
}

interface Opening {
  command: Writing
  roles: Set<number>
  expression: Expression
  /** What it goes by, where it goes by anything. */
  branches: Place[]
}

function everybodyWrites(around: Surroundings, policy: Policy, names: Names): Fault[] {
  const openings = writing.flatMap((command) => openingFor(around, policy, command) ?? [])
  const [first] = openings
  if (first === undefined || isForOneProgram(around, policy, names)) return []
  const commands = openings.map(({ command }) => command)
  const roles = new Set(openings.flatMap((opening) => [...opening.roles]))
  const isLight =
    commands.every((command) => command === 'insert') && !mayNameAnybody(around, policy, roles)
  return [
    {
      object: policy.object,
      detail: `${commands.join(', ')} by ${nameRoles(around.catalog, roles)} ${wayOf(around, policy, first)}`,
      ...(isLight ? { weight: 'leak' } : {}),
      mend: withoutWriting(around, policy, commands, roles),
    },
  ]
}

/** Takes the right, where nobody needs it for another policy, so that what may be read is read as before. */
function withoutWriting(
  { catalog, reach }: Surroundings,
  policy: Policy,
  commands: Writing[],
  roles: Set<number>,
): string {
  const { relation } = policy
  const decide = `-- whose rows are these to write? Say it in the policy: alter policy ${policy.sql} on ${relation.sql} …\n-- Until then, nobody writes by it.\n`
  const grantees = new Set(
    commands.flatMap((command) => reach.granteesOf(relation, command, roles)),
  )
  const isOwn = [...grantees].every(
    (grantee) => policy.roles.includes(grantee) || policy.roles.includes(0),
  )
  const isNeeded = relation.policies.some(
    (other) =>
      other !== policy &&
      other.isPermissive &&
      intersect(reach.rolesOfPolicy(other), roles).size > 0 &&
      commands.some((command) => conditionsFor(other, command) !== null),
  )
  // What is for all commands may be read by as before.
  if (!isOwn || isNeeded || policy.command !== 'all') return decide + closePolicy(policy)
  return `${decide}revoke ${commands.join(', ')} on ${relation.sql} from ${nameRoles(catalog, grantees)};`
}

function openingFor(around: Surroundings, policy: Policy, command: Writing): Opening | null {
  const conditions = conditionsFor(policy, command)
  const expression = command === 'insert' ? conditions?.check : conditions?.using
  if (expression === null || expression === undefined) return null
  const { reach } = around
  const roles = intersect(reach.rolesOfPolicy(policy), reach.rolesWith(policy.relation, command))
  if (roles.size === 0 || isRestricted(around, policy.relation, command, roles)) return null
  const isOpen = isOpenFor(around, policy, expression, roles)
  const found = around
    .branchesForAnybody(policy, expression)
    .filter((place) => !isNobodys(around, policy, expression, place))
  const branches = command !== 'insert' || isByAnybody(around, policy, roles, found) ? found : []
  return isOpen || branches.length > 0
    ? { command, roles, expression, branches: isOpen ? [] : branches }
    : null
}

/**
 * That what is added has to look like something is no word about who adds it, and no fault either; that somebody has to
 * have signed in is one where they may say that it is somebody else's.
 */
const isByAnybody = (
  around: Surroundings,
  policy: Policy,
  roles: ReadonlySet<number>,
  branches: Place[],
): boolean =>
  branches.some((place) => isSignedIn(around, place)) &&
  mayNameAnybody(around, policy, roles) &&
  !isFilledIn(around, policy)

const isSignedIn = ({ asking }: Surroundings, { node, scope }: Place): boolean =>
  [false, true].some((isNegated) => isPresence(node, scope, asking, isNegated))

/** Whether a trigger that asks who it is has the last word about what is added: before, for each row, on insert. */
const isFilledIn = ({ catalog, identity }: Surroundings, { relation }: Policy): boolean =>
  relation.triggers.some(({ isEnabled, type, function: oid }) => {
    const routine = catalog.functions.get(oid)
    const isBefore = (type & 7) === 7
    return (
      isEnabled &&
      isBefore &&
      routine !== undefined &&
      identity.sourcesOfFunction(routine).length > 0
    )
  })

/** A row without an owner: of those another rule speaks. */
function isNobodys(
  around: Surroundings,
  policy: Policy,
  expression: Expression,
  { node, scope }: Place,
): boolean {
  if (node.type !== 'NULLTEST') return false
  const pinned = around.pinnedColumns(policy, expression)
  return columnsBelow(node, scope).some((column) => pinned.has(column))
}

/**
 * Where nobody has said what requests act as, a role that logs in and is named beside others, which are asked, may well
 * be a program of its own.
 */
function isForOneProgram(
  { catalog, openBranches }: Surroundings,
  policy: Policy,
  names: Names,
): boolean {
  if (
    names.requestRoles !== null ||
    !policy.roles.every((role) => catalog.roles.get(role)?.canLogin === true)
  )
    return false
  return policy.relation.policies.some(
    (other) =>
      other.isPermissive &&
      other.using !== null &&
      !other.roles.some((role) => role === 0 || policy.roles.includes(role)) &&
      openBranches(other, other.using).length === 0,
  )
}

/** Whether whoever inserts may say whose the row is: in a column that another policy holds against who asks. */
function mayNameAnybody(
  around: Surroundings,
  { relation }: Policy,
  roles: ReadonlySet<number>,
): boolean {
  const owners = new Set(
    relation.policies.flatMap((policy) =>
      [policy.using, policy.check].flatMap((expression) =>
        expression === null ? [] : [...around.pinnedColumns(policy, expression)],
      ),
    ),
  )
  return [...owners].some(
    (column) => intersect(around.reach.rolesWithColumn(relation, 'insert', column), roles).size > 0,
  )
}

function wayOf(
  around: Surroundings,
  { relation }: Policy,
  { expression, branches }: Opening,
): string {
  if (branches.some((place) => isSignedIn(around, place)))
    return `asks only whether somebody is signed in, whoever it is: ${excerpt(expression)}`
  const columns = new Set(branches.flatMap(({ node, scope }) => columnsBelow(node, scope)))
  const named = relation.columns.filter(({ number }) => columns.has(number)).map(({ sql }) => sql)
  if (branches.length === 0 || named.length === 0) return `asks nobody: ${excerpt(expression)}`
  return `asks nobody where only ${named.join(', ')} ${named.length === 1 ? 'decides' : 'decide'}: ${excerpt(expression)}`
}

export const policyAlwaysTrue: Rule = {
  name: 'policy-always-true',
  weight: 'leak',
  why:
    'It looks like a condition, and is met by every row whoever asks: what seems to be kept from others is not. ' +
    'Where everybody is to see these rows, using (true) says so.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.policies.flatMap((policy) => {
      const { using, relation } = policy
      if (
        !policy.isPermissive ||
        using === null ||
        conditionsFor(policy, 'select') === null ||
        isPlain(using)
      )
        return []
      const roles = intersect(
        around.reach.rolesOfPolicy(policy),
        around.reach.rolesWith(relation, 'select'),
      )
      if (roles.size === 0 || isRestricted(around, relation, 'select', roles)) return []
      const isForAll = isOpenFor(around, policy, using, [])
      if (
        !isForAll &&
        !(
          policy.roles.length > 0 &&
          [...roles].every((role) => isOpenFor(around, policy, using, [role]))
        )
      )
        return []
      return [
        {
          object: policy.object,
          detail: `${excerpt(using)} is true for every row`,
          // That a role is itself is said in vain, and hides nothing.
          ...(isForAll ? {} : { weight: 'style' as const }),
          mend: `-- if not everybody is to see these rows, say who is instead\nalter policy ${policy.sql} on ${relation.sql} using (true);`,
        },
      ]
    })
  },
}

/** true, or what is made of constants alone: nobody takes that for a condition. */
const isPlain = ({ tree }: Expression): boolean => isMadeOfConstants(tree)

const isMadeOfConstants = (node: TreeNode): boolean =>
  !['VAR', 'FUNCEXPR', 'SQLVALUEFUNCTION', 'SUBLINK'].includes(node.type) &&
  childrenOf(node).every(isMadeOfConstants)

export const policyVoidsAnother: Rule = {
  name: 'policy-voids-another',
  weight: 'leak',
  why:
    'Permissive policies add up: beside one that shows every row, the others show nothing more, and what they seem to ' +
    'keep back is seen.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.policies.flatMap((policy) => {
      const { using } = policy
      if (!policy.isPermissive || using === null || conditionsFor(policy, 'select') === null)
        return []
      const roles = intersect(
        around.reach.rolesOfPolicy(policy),
        around.reach.rolesWith(policy.relation, 'select'),
      )
      if (roles.size === 0 || isRestricted(around, policy.relation, 'select', roles)) return []
      if (!isOpenFor(around, policy, using, [])) return []
      const voided = policy.relation.policies.filter((other) => isVoidedBy(around, policy, other))
      return voided.length === 0 ? [] : [voidingFault(policy, using, voided)]
    })
  },
}

/** Of one that is for writing too, nobody expects that it narrows what is read. */
function isVoidedBy(around: Surroundings, open: Policy, other: Policy): boolean {
  if (other === open || !other.isPermissive || other.using === null) return false
  if (other.command !== open.command && !(open.command === 'all' && other.command === 'select'))
    return false
  const held = around.reach.rolesOfPolicy(open)
  const isWithin = [...around.reach.rolesOfPolicy(other)].every((role) => held.has(role))
  const isForRequests = around.reach.rolesOfPolicy(other).size > 0
  return isWithin && isForRequests && around.openBranches(other, other.using).length === 0
}

function voidingFault(open: Policy, using: Expression, voided: Policy[]): Fault {
  const names = voided.map(({ sql }) => sql).join(', ')
  return {
    object: open.object,
    detail: `${excerpt(using)} shows every row, also what ${names} would keep back`,
    mend: `-- if everybody is to see every row, drop instead: ${names}\n${closePolicy(open)}`,
  }
}

/** Among roles of requests, one that has what another has, and more: whom it is given to, the server says, or a claim. */
export const policyTrustsRole: Rule = {
  name: 'policy-trusts-role',
  weight: 'leak',
  why:
    'Which role a request acts as is chosen for it, by a server or a token; beside policies that ask who it is, one that goes by ' +
    'the role alone shows everything to whoever gets that far. Ask whether the user has what it takes.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.policies.flatMap((policy) => {
      const { using, relation, roles } = policy
      if (!policy.isPermissive || using === null || conditionsFor(policy, 'select') === null)
        return []
      if (
        roles.some((role) => !isAbove(around, role)) ||
        everybodyWrites(around, policy, names).length > 0
      )
        return []
      const readers = intersect(
        around.reach.rolesOfPolicy(policy),
        around.reach.rolesWith(relation, 'select'),
      )
      if (readers.size === 0 || isRestricted(around, relation, 'select', readers)) return []
      if (around.openBranches(policy, using).length === 0) return []
      const narrow = relation.policies.filter((other) => asksThoseBelow(around, policy, other))
      if (narrow.length === 0) return []
      return [
        {
          object: policy.object,
          detail: `${nameRoles(catalog, roles)} is shown rows without being asked, which ${narrow.map(({ sql }) => sql).join(', ')} shows only to those whose they are: ${excerpt(using)}`,
          mend: `-- what does a user have to be, to see this? Say it in using; until then, nobody does\n${closePolicy(policy)}`,
        },
      ]
    })
  },
}

/** A role of requests that does not log in itself, and inherits from another such. */
function isAbove({ catalog: { roles, requestRoles } }: Surroundings, role: number): boolean {
  const found = roles.get(role)
  if (found === undefined || found.canLogin || !requestRoles.has(role)) return false
  return found.memberships.some(
    (membership) => membership.inherit && requestRoles.has(membership.role),
  )
}

function asksThoseBelow(around: Surroundings, policy: Policy, other: Policy): boolean {
  if (
    other === policy ||
    !other.isPermissive ||
    other.using === null ||
    conditionsFor(other, 'select') === null
  )
    return false
  const below = new Set(
    policy.roles.flatMap(
      (role) =>
        around.catalog.roles.get(role)?.memberships.map((membership) => membership.role) ?? [],
    ),
  )
  const isForThoseBelow = other.roles.some((role) => role === 0 || below.has(role))
  return isForThoseBelow && around.openBranches(other, other.using).length === 0
}
