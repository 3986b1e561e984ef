const LEAST_CHARACTERS = 32
/** 32 random hexadecimal ones are of 9 once in 15,000 times. */
const LEAST_DIFFERENT_CHARACTERS = 8
const LEAST_DIFFERENT_PAIRS = 20
const LEAST_DIFFERENT_STEPS = 8

/** Words of documentation. */
const example = /change.?(me|it|this)|secret.?key|example|password|your.?(secret|key)|placeholder/i

/** What keyboards have beside each other, and as they write it: chance writes five letters in any case now and then. */
const keyboard = /[Qq]wert|QWERT|[Aa]sdfg|ASDFG|[Zz]xcvb|ZXCVB|[Aa]zerty|AZERTY/

/** The commonest pairs of letters in English words, which are half of what words are made of, and a fortieth of what is random. */
const ofWords = new Set(
  (
    'th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ' +
    'ea ra li ll ma om et ke ss sc pa so'
  ).split(' '),
)
const MOST_OF_WORDS = 0.32

/**
 * Whether a text may have come out of a generator of random ones: long, of many characters, neither counted through nor
 * repeated, and no words. What openssl, pwgen or a password manager makes passes; it is no measure of what an attacker knows.
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
    !example.test(text) &&
    !keyboard.test(text) &&
    !isOfWords(text)
  )
}

function isOfWords(text: string): boolean {
  const written = /[a-z]/.test(text) ? text : text.toLowerCase()
  const pairs = [...written].filter((_, at) => ofWords.has(written.slice(at, at + 2))).length
  return pairs > MOST_OF_WORDS * (text.length - 1)
}
