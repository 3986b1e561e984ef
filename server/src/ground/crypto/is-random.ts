const LEAST_CHARACTERS = 32
const LEAST_DIFFERENT_CHARACTERS = 10
const LEAST_DIFFERENT_PAIRS = 20
const LEAST_DIFFERENT_STEPS = 8

/** Words of documentation and of keyboards. */
const example =
  /change.?(me|it|this)|secret.?key|example|password|your.?(secret|key)|placeholder|qwert|asdfg|zxcvb|azerty/i

/**
 * Whether a text may have come out of a generator of random ones: long, of many characters, and neither counted through nor
 * repeated. What openssl, pwgen or a password manager makes passes; it is no measure of what an attacker knows.
 */
export function isRandom(text: string): boolean {
  const characters = [...text]
  const pairs = new Set(characters.slice(1).map((character, at) => `${characters[at]}${character}`))
  // `abcdef…` and `13579…` have many pairs, and always the same step.
  const steps = new Set(
    characters
      .slice(1)
      .map(
        (character, at) => (character.codePointAt(0) ?? 0) - (characters[at]?.codePointAt(0) ?? 0),
      ),
  )
  return (
    characters.length >= LEAST_CHARACTERS &&
    new Set(characters).size >= LEAST_DIFFERENT_CHARACTERS &&
    pairs.size >= LEAST_DIFFERENT_PAIRS &&
    steps.size >= LEAST_DIFFERENT_STEPS &&
    !example.test(text)
  )
}
