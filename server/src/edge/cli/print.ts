/** Prints what a command found or did: as one line of JSON for programs, as a sentence for people. */
export function print(data: object, sentence: string, { json = false }: { json?: boolean }): void {
  process.stdout.write(`${json ? escapeControls(JSON.stringify(data)) : sentence}\n`)
}

export const jsonOption = ['--json', 'print JSON, for programs'] as const

/** What a terminal obeys, or shows in another order than it is written in. */
const control = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u
const controls = new RegExp(control, 'gu')

/** Writes control characters as JSON does, also those that JSON leaves as they are. */
export function escapeControls(text: string): string {
  return text.replaceAll(
    controls,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A text that somebody else has chosen, for a terminal: as it is, or as JSON where it has control characters. */
export function shown(text: string | null): string {
  if (text === null || text === '') return '-'
  return control.test(text) ? escapeControls(JSON.stringify(text)) : text
}

/** `2026-10-03 14:25`, in UTC. */
export function shownTime(time: Date | null): string {
  return time === null ? '-' : time.toISOString().slice(0, 16).replace('T', ' ')
}
