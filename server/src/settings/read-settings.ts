import { OperatorError } from '../ground/errors.ts'
import type { Environment } from './environment.ts'
import { Mistake } from './forms.ts'
import type { Setting } from './setting.ts'

type Settings = Readonly<Record<string, Setting<unknown>>>
export type ValuesOf<Some extends Settings> = {
  [Name in keyof Some]: ReturnType<Some[Name]['read']>
}

/** Reads some settings, and what is wrong with them: each a sentence that begins with a name. */
export function readSettings<Some extends Settings>(
  some: Some,
  environment: Environment,
): { values: ValuesOf<Some>; mistakes: string[] } {
  const mistakes: string[] = []
  const entries = Object.entries(some).map(([name, setting]) => {
    const text = environment[name]?.trim() || setting.fallback
    try {
      return [name, text === null ? null : setting.read(text)]
    } catch (error) {
      if (!(error instanceof Mistake)) throw error
      mistakes.push(`${name} ${error.message}`)
      return [name, null]
    }
  })
  return { values: Object.fromEntries(entries), mistakes }
}

/** @throws OperatorError that lists them, where there are any */
export function refuseMistakes(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return
  throw new OperatorError(
    `The configuration has ${mistakes.length === 1 ? 'a mistake' : 'mistakes'}:\n${mistakes
      .map((mistake) => `  ${mistake}`)
      .join('\n')}`,
  )
}
