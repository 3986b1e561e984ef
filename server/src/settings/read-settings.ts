import { OperatorError } from '../ground/errors.ts'
import { findNearName } from '../ground/find-near-name.ts'
import type { Environment } from './environment.ts'
import { Mistake } from './forms.ts'
import type { Setting } from './setting.ts'

type Settings = Readonly<Record<string, Setting<unknown>>>
export type ValuesOf<Some extends Settings> = {
  [Name in keyof Some]: ReturnType<Some[Name]['read']>
}

/** Those who read such files (systemd, Docker) keep a comment behind a value as a part of it; `.env` is read without. */
const comment = /\s#/
const hasComment =
  'looks as if it had a comment in it (a blank and a #): comments go on lines of their own'

/** Reads some settings, and what is wrong or odd about them: each a sentence that begins with a name. */
export function readSettings<Some extends Settings>(
  some: Some,
  environment: Environment,
): { values: ValuesOf<Some>; mistakes: string[]; warnings: string[] } {
  const mistakes: string[] = []
  const warnings: string[] = []
  const entries = Object.entries(some).map(([name, setting]) => {
    const text = environment[name]?.trim() || setting.fallback
    try {
      const value = text === null ? null : setting.read(text)
      if (comment.test(text ?? '')) warnings.push(`${name} ${hasComment}. It is taken as it is`)
      return [name, value]
    } catch (error) {
      if (!(error instanceof Mistake)) throw error
      mistakes.push(
        `${name} ${error.message}${comment.test(text ?? '') ? `. It ${hasComment}` : ''}`,
      )
      return [name, null]
    }
  })
  return { values: Object.fromEntries(entries), mistakes, warnings }
}

/**
 * Names that were meant to be a setting's, as far as can be told: each a sentence that begins with the name. A setting
 * that is set itself was not meant by another name.
 */
export function findMisspelt(known: Iterable<string>, environment: Environment): string[] {
  const names = [...known]
  const unset = names.filter((name) => !environment[name]?.trim())
  return Object.keys(environment).flatMap((name) => {
    const meant = names.includes(name) ? null : findNearName(name, unset)
    if (meant === null) return []
    return [
      `${name} is no setting: is that ${meant}? (If it is meant for somebody else, set ${meant} too.)`,
    ]
  })
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
