import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import type { Names } from '../../names.ts'
import { callsIn, type Token, tokensOf } from '../expressions/body-tokens.ts'
import { textOf } from '../expressions/constants.ts'
import { argumentsOf } from '../expressions/unwrap.ts'

/** How somebody is told from another. */
export type Source =
  /** A function or a setting that is trusted to say who asks. */
  | { kind: 'trusted'; key: string }
  /** A setting that whoever sends SQL can set. */
  | { kind: 'setting'; key: string; setting: string }
  /** The database role: current_user, pg_has_role. */
  | { kind: 'role'; key: string }
  /** A function of whose body nothing is known, and that may well ask. */
  | { kind: 'unknown'; key: string }

export interface Identity {
  /** What a node itself, not what is below it, takes somebody's identity from. */
  sourcesOf(node: TreeNode): Source[]
  /** The same of a function, with what it calls. */
  sourcesOfFunction(routine: Routine): Source[]
  /** The settings that a function's own body reads and that are not to be trusted. */
  settingsReadBy(routine: Routine): string[]
  /** What a function calls, as far as its text shows. */
  calledBy(routine: Routine): Routine[]
}

/** SQLValueFunctionOp: current_role, current_user, user, session_user. */
const roleWords = new Set(['9', '10', '11', '12'])
const roleNames = new Set(['current_user', 'current_role', 'session_user'])
const roleFunctions = new Set(['pg_has_role', 'row_security_active'])

/** What makes of a setting a proof, which nobody has who only sets it. */
const hashes = new Set([
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'digest',
  'hmac',
  'crypt',
  'verify',
])

export function identityOf(catalog: Catalog, names: Names): Identity {
  const known = new Map<number, Source[]>()
  const tokens = new Map<number, Token[]>()
  const own = namedFunctions(catalog)
  const isTrustedSetting = (setting: string) =>
    names.identitySettings.some((trusted) =>
      trusted.endsWith('.') ? setting.startsWith(trusted) : setting === trusted,
    )
  const trusted = new Set(names.identityFunctions)
  const isKnown = trusted.size > 0 || names.identitySettings.length > 0

  const tokensOfRoutine = (routine: Routine): Token[] => {
    const found = tokens.get(routine.oid) ?? tokensOf(routine.sqlBody?.text ?? routine.source ?? '')
    tokens.set(routine.oid, found)
    return found
  }
  const sourceOfSetting = (setting: string): Source[] => {
    const name = setting.toLowerCase()
    // Settings of Postgres' own have no dot in their names.
    if (name === 'role' || name === 'session_authorization') return [{ kind: 'role', key: name }]
    if (!name.includes('.')) return []
    return [
      isTrustedSetting(name)
        ? { kind: 'trusted', key: name }
        : { kind: 'setting', key: name, setting: name },
    ]
  }
  const settingsIn = (words: readonly Token[]): string[] =>
    callsIn(words).flatMap(({ name, at }) => {
      if (name !== 'current_setting' || words[at + 2]?.kind !== 'literal') return []
      let [text, next] = ['', at + 2]
      while (words[next]?.kind === 'literal') {
        text += words[next]?.text ?? ''
        if (words[next + 1]?.text !== '|' || words[next + 2]?.text !== '|') break
        next += 3
      }
      return [text.toLowerCase()]
    })
  const isProof = (routine: Routine, words: readonly Token[]): boolean =>
    routine.isSecurityDefiner && callsIn(words).some(({ name }) => hashes.has(name))

  const calledBy = (routine: Routine): Routine[] =>
    callsIn(tokensOfRoutine(routine)).flatMap(({ schema, name }) =>
      (own.get(name) ?? []).filter(
        (other) => other !== routine && (schema === null || other.schema.name === schema),
      ),
    )
  const sourcesOfFunction = (routine: Routine): Source[] => {
    const before = known.get(routine.oid)
    if (before !== undefined) return before
    // For one that calls itself.
    known.set(routine.oid, [])
    // Each once: functions that call one another twice would double them at every step.
    const sources = [
      ...new Map(find(routine).map((source) => [`${source.kind} ${source.key}`, source])).values(),
    ]
    known.set(routine.oid, sources)
    return sources
  }
  const find = (routine: Routine): Source[] => {
    const name = `${routine.schema.name}.${routine.name}`
    if (trusted.has(name)) return [{ kind: 'trusted', key: name }]
    if (routine.schema.isOfPostgres)
      return roleFunctions.has(routine.name) ? [{ kind: 'role', key: routine.name }] : []
    const words = tokensOfRoutine(routine)
    const read = settingsIn(words).flatMap(sourceOfSetting)
    const sources = [
      ...(isProof(routine, words) && read.length > 0
        ? [{ kind: 'trusted', key: name } as const]
        : read),
      ...(words.some(({ kind, text }) => kind === 'name' && roleNames.has(text))
        ? [{ kind: 'role', key: name } as const]
        : []),
      ...[...new Set(calledBy(routine))].flatMap(sourcesOfFunction),
    ]
    const isWord = (word: string) =>
      words.some(({ kind, text }) => kind === 'name' && text === word)
    // What runs as its caller may ask a table whose policies ask.
    const asksTables = !routine.isSecurityDefiner && isWord('from')
    const isHidden = words.length === 0 || isWord('execute')
    const mayAsk = routine.volatility !== 'i' && (!isKnown || isHidden || asksTables)
    return sources.length === 0 && mayAsk ? [{ kind: 'unknown', key: name }] : sources
  }
  const ofCall = (node: TreeNode, field: string): Source[] => {
    const routine = catalog.functions.get(Number(wordOf(node, field)))
    if (routine === undefined) return []
    if (routine.schema.isOfPostgres && routine.name === 'current_setting') {
      const setting = putTogether(argumentsOf(node)[0], catalog)
      return setting === null
        ? [{ kind: 'unknown', key: 'current_setting' }]
        : sourceOfSetting(setting)
    }
    return sourcesOfFunction(routine)
  }
  return {
    sourcesOf: (node) => {
      if (node.type === 'SQLVALUEFUNCTION')
        return roleWords.has(wordOf(node, 'op')) ? [{ kind: 'role', key: wordOf(node, 'op') }] : []
      if (node.type === 'FUNCEXPR') return ofCall(node, 'funcid')
      return wordOf(node, 'opfuncid') !== '' ? ofCall(node, 'opfuncid') : []
    },
    sourcesOfFunction,
    settingsReadBy: (routine) =>
      isProof(routine, tokensOfRoutine(routine)) ||
      trusted.has(`${routine.schema.name}.${routine.name}`)
        ? []
        : settingsIn(tokensOfRoutine(routine)).filter((setting) =>
            sourceOfSetting(setting).some(({ kind }) => kind === 'setting'),
          ),
    calledBy: (routine) =>
      trusted.has(`${routine.schema.name}.${routine.name}`) ? [] : calledBy(routine),
  }
}

/** A text of constants that `||` puts together, or null. */
function putTogether(node: TreeNode | undefined, catalog: Catalog): string | null {
  if (node?.type !== 'OPEXPR') return textOf(node)
  const operator = catalog.operators.get(Number(wordOf(node, 'opno')))
  const parts = argumentsOf(node).map((part) => putTogether(part, catalog))
  return operator?.name === '||' && !parts.includes(null) ? parts.join('') : null
}

/** Functions that are not Postgres' own, by their names. */
function namedFunctions({ functions }: Catalog): Map<string, Routine[]> {
  const named = new Map<string, Routine[]>()
  for (const routine of functions.values())
    if (!routine.schema.isOfPostgres)
      named.set(routine.name, [...(named.get(routine.name) ?? []), routine])
  return named
}
