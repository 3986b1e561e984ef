/**
 * Text from a catalog as a terminal may be given it: a name may hold anything, and what moves the cursor or turns the
 * direction of a line would let its author write the report. Line breaks and tabs are kept.
 */
export const printable = (text: string): string =>
  text.replaceAll(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`,
  )

/** The same on one line, for what begins with a mark of its own, such as a comment in SQL. */
export const onOneLine = (text: string): string => printable(text.replaceAll('\n', '\\n'))

/** Whether all of a name is to be seen. U+FFFD stands for bytes that are no text. */
export const isSeen = (name: string): boolean => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(name)
