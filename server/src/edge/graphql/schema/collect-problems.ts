import { stripVTControlCharacters } from 'node:util'
import type {} from 'graphile-build'
import type { SchemaProblem } from '../catalog/schema-problem.ts'

type Conflict = 'throw' | 'recoverable'

/** What cannot be put into the schema is left out and told, where PostGraphile can do without; of two of one name the second. */
export function collectProblems(tell: (problem: SchemaProblem) => void): GraphileConfig.Plugin {
  return {
    name: 'PieCollectProblemsPlugin',
    version: '1.0.0',
    schema: {
      hooks: {
        build(build) {
          const { extend } = build
          const recover = (error: Error) => tell(problemOf(error))
          return Object.assign(build, {
            handleRecoverableError: recover,
            extend(base: object, extra: object, hint: string, onConflict: Conflict = 'throw') {
              // What extends the build itself is the plugins' own.
              if (!build.status.isBuildPhaseComplete || onConflict === 'recoverable')
                return extend.call(build, base, extra, hint, onConflict)
              for (const [key, value] of Object.entries(extra))
                try {
                  extend.call(build, base, { [key]: value }, hint)
                } catch (error) {
                  recover(error as Error)
                }
              return base
            },
          })
        },
      },
    },
  }
}

/** From the words in which PostGraphile says it. */
function problemOf(error: Error): SchemaProblem {
  const text = stripVTControlCharacters(error.message)
  const [, name] = /define the same (?:key|type) '([^']*)'/.exec(text) ?? []
  const [, first] = /The first entity was:\s*(.*)/.exec(text) ?? []
  const [, second] = /The second entity was:\s*(.*?)\.?\s*(?:\n|$)/.exec(text) ?? []
  if (name === undefined || second === undefined)
    return {
      kind: 'left-out',
      object: 'a part of the schema',
      other: null,
      what: `cannot be shown: ${text.split('\n')[0]}`,
      mend: 'name what it is about otherwise, with a comment that begins with @name',
    }
  return {
    kind: 'left-out',
    object: second,
    other: first ?? null,
    what: `is left out: ${name} is there already (${first ?? 'of something else'})`,
    mend: 'give one of them another name, with a comment that begins with @name (a function of a row: @fieldName)',
  }
}
