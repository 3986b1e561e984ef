/** Text that is HTML, and no longer anybody's words. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Markup | readonly Markup[]

/** A template whose values are escaped, but for what is markup already. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(
    strings.reduce((before, string, place) => before + textOf(values[place - 1] as Part) + string),
  )
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(({ text }) => text).join('')
  return escapeHtml(String(part))
}

const named: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' }

const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => `&${named[sign]};`)

export const none = new Markup('')
