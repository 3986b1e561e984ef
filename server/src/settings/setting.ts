/** What is known of one setting: its form, its default, and a sentence for the operator. */
export interface Setting<T> {
  /** Reads the text, or throws a Mistake that completes the sentence "NAME …". */
  read(text: string): T
  /** The form, for the documentation: "a duration". */
  form: string
  /** What is read where nothing is set; null where that is decided at start. */
  fallback: string | null
  /** The default, for the documentation. */
  whenUnset: string
  /** What it is for. One or two sentences. */
  about: string
}

export const withDefault = <T>(
  form: string,
  read: (text: string) => T,
  fallback: string,
  about: string,
): Setting<T> => ({ form, read, fallback, whenUnset: fallback === '' ? 'none' : fallback, about })

export const optional = <T>(
  form: string,
  read: (text: string) => T,
  whenUnset: string,
  about: string,
): Setting<T | null> => ({ form, read, fallback: null, whenUnset, about })
