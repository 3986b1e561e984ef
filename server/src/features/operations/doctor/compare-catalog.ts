import type { Finding, Weight } from './finding.ts'
import type { CatalogEntry, CatalogKind, ExpectedEntry } from './read-catalog.ts'

/** What it means that one of a kind is missing or another one. */
const kinds: Record<CatalogKind, { weight: Weight; why: string }> = {
  table: { weight: 'opens', why: 'Pie works on it.' },
  column: {
    weight: 'opens',
    why: 'Pie works on it, and believes what is in it when nobody has said otherwise.',
  },
  constraint: { weight: 'opens', why: 'It keeps rows from being what they may never be.' },
  index: { weight: 'hinders', why: 'Without it what looks there reads the whole table.' },
  'row-security': { weight: 'opens', why: 'Without it no policy of the table holds for anybody.' },
  policy: { weight: 'opens', why: 'It says which rows there are for whom.' },
  trigger: {
    weight: 'opens',
    why: 'It tells every node of what has changed: without it, one goes on believing what it has cached.',
  },
  'trigger-state': {
    weight: 'opens',
    why: 'Switched off, or not always on, it does not tell of changes, or lets rows stay that belong to nobody.',
  },
  view: { weight: 'opens', why: 'Requests read through it.' },
  function: {
    weight: 'opens',
    why: 'Some work with the owner’s rights, and the policies believe what they say.',
  },
  grant: { weight: 'opens', why: 'What a request may do is what its role is granted.' },
}

/** Where more than migrations made is somebody's doing, and not only a fault. */
const weightOfMore: Partial<Record<CatalogKind, Weight>> = {
  table: 'tells',
  column: 'tells',
  constraint: 'tells',
  index: 'tells',
  function: 'tells',
  view: 'tells',
  'trigger-state': 'tells',
}

/** Those whose grants open something to requests. */
const ownRoles = /(?: to|\bfrom) (public|cream|pie_auth|webuser|webadmin)$/

/**
 * Holds what there is against what migrations made.
 * @param owner for what is to be made again
 */
export function compareCatalog(
  expected: readonly ExpectedEntry[],
  found: readonly CatalogEntry[],
  owner: string,
): Finding[] {
  const all = [...expected, ...expectedOfPartitions(expected, found)]
  const there = Map.groupBy(found, ({ object }) => object)
  const wanted = Map.groupBy(all, ({ object }) => object)
  const missing = all.flatMap((entry) => {
    const have = there.get(entry.object)
    if (have?.some((one) => isSame(one, entry))) return []
    return [
      have === undefined ? lost(entry, owner) : changed(entry, have[0] as CatalogEntry, owner),
    ]
  })
  const functions = new Set(
    expected.filter(({ kind }) => kind === 'function').map(({ object }) => object),
  )
  return [
    ...missing,
    ...found
      .filter(({ object }) => !wanted.has(object))
      .flatMap((entry) => added(entry, functions)),
  ]
}

/** What keeps a table is to keep each of its partitions, for whoever names that: whichever there are this month. */
function expectedOfPartitions(
  expected: readonly ExpectedEntry[],
  found: readonly CatalogEntry[],
): ExpectedEntry[] {
  const partitions = new Map(found.map((entry) => [entry.partition, entry.partition_of]))
  return [...partitions].flatMap(([partition, table]) => {
    if (partition === null || table === null) return []
    const ofTable = [`row-level security of ${table}`, `on ${table}`]
    return expected
      .filter(
        ({ kind, object }) =>
          ['row-security', 'policy', 'trigger', 'trigger-state'].includes(kind) &&
          ofTable.some((end) => object.endsWith(end)),
      )
      .map(({ kind, object, make }) => ({
        kind,
        object: object.replace(table, partition),
        make: make.replaceAll(table, partition),
      }))
  })
}

/**
 * Letter by letter; but of a constraint that a dump has brought back, Postgres prints other parentheses: `a between b and c` is no longer
 * an expression of its own there.
 */
function isSame(one: ExpectedEntry, other: ExpectedEntry): boolean {
  const letters = ({ kind, make }: ExpectedEntry) =>
    kind === 'constraint' ? make.replaceAll(/[()\s]+/g, ' ').trim() : make
  return letters(one) === letters(other)
}

const notThere = 'is not there any more'
const notGranted = 'is not granted any more'
/** Said of what migrations made and is gone. */
export const isMissing = (what: string): boolean => [notThere, notGranted].includes(what)
/** Said of what is more than they made. */
export const isForeign = 'is none of Pie’s'

function lost(entry: ExpectedEntry, owner: string): Finding {
  const { weight, why } = kinds[entry.kind]
  // What is not given hinders; what is given too much opens.
  const isGrant = entry.kind === 'grant'
  return {
    check: `catalog-${entry.kind}`,
    weight: isGrant ? 'hinders' : weight,
    object: entry.object,
    what: isGrant ? notGranted : entry.kind === 'trigger-state' ? 'is switched off' : notThere,
    why: isGrant ? 'Pie works with it.' : why,
    mend: forOwner(makeAgain(entry), owner),
    isSafe: !['table', 'column', 'constraint'].includes(entry.kind),
  }
}

function changed(entry: ExpectedEntry, have: CatalogEntry, owner: string): Finding {
  const { weight, why } = kinds[entry.kind]
  const make = forOwner(entry.make, owner)
  const isReplaced = ['function', 'trigger-state', 'row-security'].includes(entry.kind)
  return {
    check: `catalog-${entry.kind}`,
    weight,
    object: entry.object,
    what: entry.kind === 'row-security' ? 'is not on' : 'is not as migrations made it',
    why,
    mend: isReplaced ? make : `${have.drop}\n${make}`,
    isSafe: [
      'function',
      'policy',
      'trigger',
      'trigger-state',
      'row-security',
      'grant',
      'index',
    ].includes(entry.kind),
  }
}

function added(entry: CatalogEntry, functions: ReadonlySet<string>): Finding[] {
  const { weight, why } = kinds[entry.kind]
  // Somebody's own reports, say: which rows they read is a matter of their role.
  const isOthers = entry.kind === 'grant' && !ownRoles.test(entry.object)
  // A function of the application's own: Postgres lets everybody execute a new one.
  const [, called] = /^execute on (function .+) to \w+$/.exec(entry.object) ?? []
  const isOthersFunction = called !== undefined && !functions.has(called)
  if (entry.kind === 'row-security' || entry.drop === '') return []
  const ofProfiles = entry.kind === 'policy' ? judgePolicyOfProfiles(entry) : null
  if (ofProfiles === 'sound') return []
  return [
    {
      check: `catalog-${entry.kind}`,
      weight:
        isOthers || isOthersFunction || ofProfiles !== null
          ? 'tells'
          : (weightOfMore[entry.kind] ?? weight),
      object: entry.object,
      what: entry.kind === 'grant' ? 'is granted, and not by Pie' : isForeign,
      why: ofProfiles ?? why,
      mend: entry.drop,
      isSafe: entry.kind === 'grant' && !isOthers && !isOthersFunction,
    },
  ]
}

/** Of a policy on profiles that reads for named roles: its roles, as Postgres writes them. */
const readsFor =
  /^ for select to ((?:"(?:[^"]|"")+"|[^\s",]+)(?:, (?:"(?:[^"]|"")+"|[^\s",]+))*) using \(/
const neverShown = ['public', 'cream', 'pie_auth', '<owner>']

/**
 * On this one table of Pie's an application may have policies of its own: who else sees whom (0036-profiles.sql). They let
 * somebody read, and nobody write; and are not for everybody, nor for those who have proven nothing.
 *
 * @returns `sound`; or why it is told; null where it is a fault as on any other table
 */
function judgePolicyOfProfiles({ object, make }: CatalogEntry): string | null {
  if (!object.endsWith(' on pie_schema.profiles')) return null
  const rest = make.slice(`create ${object}`.length)
  const [, roles] = readsFor.exec(rest.replace(/^ as restrictive/, '')) ?? []
  if (roles === undefined || roles.split(', ').some((role) => neverShown.includes(role)))
    return null
  if (rest.startsWith(' as restrictive'))
    return 'It takes away from what Pie’s own policies show, and may hide from somebody their own profile.'
  if (/^policy "?profiles_/.test(object))
    return 'Policies called profiles_… are Pie’s: a later version may make one of this name. Give it another.'
  return 'sound'
}

/** A superuser may mend: what is made again is the owner's all the same, and nobody else's to call. */
function makeAgain({ kind, object, make }: ExpectedEntry): string {
  if (kind === 'function')
    return `${make}\nalter ${object} owner to <owner>;\nrevoke execute on ${object} from public;`
  return kind === 'view' ? `${make}\nalter ${object} owner to <owner>;` : make
}

const forOwner = (statement: string, owner: string): string =>
  statement.replaceAll('<owner>', `"${owner.replaceAll('"', '""')}"`)
