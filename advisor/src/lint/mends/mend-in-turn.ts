import type { Finding } from '../finding.ts'

/**
 * Two mends of one policy would each write it from what it is now, and the second undo the first, or find it gone: the
 * first finding of a policy has it written anew, the others say for afterwards what they would. So all mends of one
 * report can be run in its order.
 */
export function mendInTurn(findings: readonly Finding[]): Finding[] {
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

const commentedOut = (mend: string): string => mend.replaceAll(/^(?!--)/gm, '-- ')
