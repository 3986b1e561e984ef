import type { Log } from '../../../ground/log.ts'
import { problemInWords, type SchemaProblem } from '../catalog/schema-problem.ts'
import type { DatabaseRole } from '../settings.ts'

/** More than this at once are told by their number: they have a command of their own. */
const MOST_LINES = 10

export interface TellProblems {
  (problems: readonly SchemaProblem[], role: DatabaseRole): void
  /** What is told during some work is told after it, with the roles that have it. */
  together(work: () => Promise<void>): Promise<void>
}

interface Untold {
  text: string
  problem: SchemaProblem
  roles: DatabaseRole[]
}

/** Warns of each problem once, whichever roles have it. */
export function createProblemTeller(log: Log): TellProblems {
  const told = new Set<string>()
  const untold = new Map<string, Untold>()
  let waiting = 0

  const say = () => {
    const lines = [...untold.values()]
    untold.clear()
    if (lines.length > MOST_LINES) {
      log.warn(
        { problems: lines.length },
        'GraphQL shows many things under other names, or not at all: pie graphql check lists them',
      )
      return
    }
    // What it is and how to mend it are the text.
    for (const { text, problem, roles } of lines) {
      const { kind, object, other } = problem
      log.warn({ kind, object, other, roles }, text)
    }
  }
  const tell = (problems: readonly SchemaProblem[], role: DatabaseRole) => {
    for (const problem of problems) {
      const text = problemInWords(problem)
      // What to do may name the role.
      const key = text.replaceAll(/\b(webuser|webadmin)\b/g, 'a role')
      const known = untold.get(key)
      if (known !== undefined && !known.roles.includes(role)) known.roles.push(role)
      if (!told.has(key)) untold.set(key, { text, problem, roles: [role] })
      told.add(key)
    }
    if (waiting === 0) say()
  }
  const together = async (work: () => Promise<void>) => {
    waiting += 1
    try {
      await work()
    } finally {
      waiting -= 1
      if (waiting === 0) say()
    }
  }
  return Object.assign(tell, { together })
}
