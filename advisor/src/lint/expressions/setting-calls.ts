import { closingParenthesis } from '../mends/expression-text.ts'

/** How a text may come to fail by a setting: none was set, or it is empty, which is no uuid and no number. */
export interface SettingCalls {
  /** The settings, as they are called. */
  settings: string[]
  /** The same text, which answers null instead. */
  mended: string
}

/** A name without a dot is one of Postgres' own, which is always there. */
const customName = /^\s*'([^'.]+\.[^']+)'(?:::text)?\s*$/

/**
 * Looks at each `current_setting('app.user_id')` in an expression or a body.
 * @param isAlwaysSet settings that whoever is in front sets for every request
 */
export function findSettingCalls(
  text: string,
  isAlwaysSet: (setting: string) => boolean,
): SettingCalls {
  const settings: string[] = []
  let mended = ''
  let done = 0
  for (const { index } of text.matchAll(/\bcurrent_setting\(/gi)) {
    const open = text.indexOf('(', index)
    const close = closingParenthesis(text, open)
    const [name = '', ...others] = text.slice(open + 1, close).split(',')
    const setting = customName.exec(name)?.[1]
    if (setting === undefined || isAlwaysSet(setting)) continue
    const mayFail = others.length === 0
    const isCast = isCastFurther(text, index, close)
    if (!mayFail && !isCast) continue
    settings.push(setting)
    const call = mayFail ? `current_setting(${name}, true)` : text.slice(index, close + 1)
    mended += text.slice(done, index) + (isCast ? `nullif(${call}, '')` : call)
    done = close + 1
  }
  return { settings: [...new Set(settings)], mended: mended + text.slice(done) }
}

/** Whether `::uuid` or the like follows, at once or behind brackets around the call alone. */
function isCastFurther(text: string, start: number, close: number): boolean {
  let [before, after] = [text.slice(0, start).trimEnd(), text.slice(close + 1).trimStart()]
  if (/\bnullif\($/i.test(before)) return false
  while (before.endsWith('(') && !/\w\($/.test(before) && after.startsWith(')'))
    [before, after] = [before.slice(0, -1).trimEnd(), after.slice(1).trimStart()]
  return /^::\s*(?!text\b|character varying\b|varchar\b|name\b|"char")/i.test(after)
}
