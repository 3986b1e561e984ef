import { defaultPreset } from 'graphile-build'

/** With Latin letters for others. */
export const inLatin = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is ASCII needs no other letters
  /^[\x00-\x7f]*$/.test(text)
    ? text
    : String(
        coerce?.call({} as never, ((name: string) => name) as never, {} as never, text as never),
      )

// PostGraphile does this to whole names; here it is wanted before anything else is done to them.
const coerce = defaultPreset.plugins?.find(({ name }) => name === 'TransliterationPlugin')
  ?.inflection?.replace?.coerceToGraphQLName

/** A name as GraphQL takes it (September 2025, 2.1.9): itself where it is one. */
export function legalName(text: string): string {
  if (/^(?!__)[_A-Za-z][_0-9A-Za-z]*$/.test(text)) return text
  const letters = inLatin(text)
    .replaceAll(/^[^_0-9A-Za-z]+|[^_0-9A-Za-z]+$/g, '')
    .replaceAll(/[^_0-9A-Za-z]+/g, '_')
  // Of nothing but signs.
  if (/^_*$/.test(letters) && text !== '_') return `_${codesOf(text)}`
  return letters.replace(/^(?=[0-9])/, '_').replace(/^__+/, '_')
}

const MOST_CODES = 8

const codesOf = (text: string): string =>
  [...text]
    .slice(0, MOST_CODES)
    .map((sign) => sign.codePointAt(0)?.toString(16) ?? '')
    .join('_')
