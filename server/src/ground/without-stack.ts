/** The words and the code of an error, and of what caused it, for a log that may have to take it many times a second. */
export function withoutStack(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, cause } = error
  const { code } = error as { code?: unknown }
  const brief = new Error(message, cause === undefined ? {} : { cause: withoutStack(cause) })
  return Object.assign(brief, { name, stack: undefined, ...(code !== undefined && { code }) })
}
