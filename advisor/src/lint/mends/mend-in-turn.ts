import type { Finding } from '../finding.ts'
import { commentedOut } from './commented-out.ts'

/** All mends of one report can be run in its order. */
export const mendInTurn = (findings: readonly Finding[]): Finding[] =>
  withWhatElseIsSaid(policiesInTurn(findings))

/**
 * Two mends of one policy would each write it from what it is now, and the second undo the first, or find it gone: the
 * first finding of a policy has it written anew, the others say for afterwards what they would.
 */
function policiesInTurn(findings: readonly Finding[]): Finding[] {
  const first = new Map<string, string>()
  return findings.map((finding) => {
    const { object, rule, mend } = finding
    if (!/^(alter|drop) policy /m.test(mend)) return finding
    const before = first.get(object)
    if (before === undefined) first.set(object, rule)
    if (before === undefined) return finding
    return {
      ...finding,
      mend: `-- when it has been mended as ${before} says:\n${commentedOut(mend)}`,
    }
  })
}

/**
 * A function that is written anew is what it was before but for its body: what other mends say of it, it is told once more,
 * whichever of them is run first.
 */
function withWhatElseIsSaid(findings: readonly Finding[]): Finding[] {
  const said = new Map<string, string[]>()
  for (const { object, mend } of findings)
    for (const [statement] of isReadable(object, mend) ? mend.matchAll(attribute) : [])
      if (statement.startsWith(`alter ${object} `))
        said.set(object, [...(said.get(object) ?? []), statement])
  return findings.map((finding) => {
    const others = isWrittenAnew.test(finding.mend) ? said.get(finding.object) : undefined
    if (others === undefined) return finding
    return { ...finding, mend: [finding.mend, ...new Set(others)].join('\n') }
  })
}

const isWrittenAnew = /^create or replace (function|procedure)\b/im

/** A line of a name, or of a body, is no statement. */
const isReadable = (object: string, mend: string): boolean =>
  !/[\n\r]/.test(object) && !isWrittenAnew.test(mend)

/** What `alter function` changes and `create or replace` would put back. */
const attribute =
  /^alter (?:function|procedure) .*(?: set search_path = [^\n]*| stable| volatile| immutable| security invoker| not leakproof);$/gm
