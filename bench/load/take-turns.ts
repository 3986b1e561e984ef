/** Hands out one thing after the other, and begins again: of many, none is in use twice at once. */
export function takeTurns<T>(things: readonly T[]): () => T {
  let place = 0
  return () => {
    const thing = things[place % things.length]
    if (thing === undefined) throw new Error('there is nothing to hand out')
    place += 1
    return thing
  }
}
