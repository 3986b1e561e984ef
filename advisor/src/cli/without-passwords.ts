/** Text in which what somebody has typed may stand, an address with its password among it; what is only an example stays. */
export const withoutPasswords = (text: string): string =>
  text.replaceAll(/(postgres(?:ql)?:\/\/)(?!user:password@)\S*@/g, '$1…@')
