/** How many slips of the fingers make one name of another: letters put in, left out, replaced, or in the wrong order. */
const MOST_SLIPS = 2

/** A short word within two letters of a name is often a word of its own: `DOCKER` is no `SOCKET`. */
const SHORT = 8

/** The known name that a misspelt one was meant to be, or null. `SOKET` → `SOCKET`. */
export function findNearName(name: string, known: Iterable<string>): string | null {
  let nearest: string | null = null
  let least = MOST_SLIPS + 1
  for (const candidate of known) {
    const [given, meant] = [name.toUpperCase(), candidate.toUpperCase()]
    const slips = countSlips(given, meant)
    const isOther = slips === MOST_SLIPS && given.length < SHORT && given[0] !== meant[0]
    if (slips < least && !isOther) [nearest, least] = [candidate, slips]
  }
  return nearest
}

/** Damerau's and Levenshtein's distance (optimal string alignment); more than MOST_SLIPS are not counted. */
function countSlips(given: string, meant: string): number {
  if (Math.abs(given.length - meant.length) > MOST_SLIPS) return MOST_SLIPS + 1
  const lines: number[][] = [Array.from({ length: meant.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => lines[row]?.[column] ?? 0
  for (let row = 1; row <= given.length; row += 1) {
    lines.push([row])
    for (let column = 1; column <= meant.length; column += 1) {
      const isSame = given[row - 1] === meant[column - 1]
      const isSwapped = given[row - 1] === meant[column - 2] && given[row - 2] === meant[column - 1]
      lines[row]?.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (isSame ? 0 : 1),
          row > 1 && column > 1 && isSwapped
            ? at(row - 2, column - 2) + 1
            : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(given.length, meant.length)
}
