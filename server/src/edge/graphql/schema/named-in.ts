import type { Unit } from './unit.ts'

/** What an error names, `app.notes` or `"app"."notes"`, is mostly what it is about. */
export function namedIn(reason: string, units: readonly Unit[]): Unit | undefined {
  const text = reason.replaceAll('"', '')
  return units.find(({ object }) => {
    const [, name = ''] = /^(?:\S+ )*?(\S+\.[^(]+)/.exec(object.replaceAll('"', '')) ?? []
    const at = text.indexOf(name)
    return name !== '' && at >= 0 && !/[\w.]/.test(text[at + name.length] ?? '')
  })
}
