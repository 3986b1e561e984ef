/** Text in which what somebody has typed may stand, an address with its password among it. */
export const withoutPasswords = (text: string): string =>
  text.replaceAll(/(postgres(?:ql)?:\/\/).*@/g, '$1…@')
