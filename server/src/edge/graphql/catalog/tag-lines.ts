/** A smart tag as PostGraphile reads it: `@name note` is the value `note`; null where there is none after it. */
export interface TagLine {
  tag: string
  value: string | null
  line: string
}

/** What a comment says in lines such as `@name note`, before any other. */
export function splitTags(text: string): { tags: TagLine[]; rest: string } {
  const lines = text.split(/\r?\n/)
  const tags: TagLine[] = []
  for (const [index, line] of lines.entries()) {
    if (index === 0 && line === '') continue
    const [, tag, space, value = ''] = /^[ \t]*@([a-zA-Z][a-zA-Z0-9_]*)($|\s)(.*)$/.exec(line) ?? []
    if (tag === undefined) return { tags, rest: lines.slice(index).join('\n') }
    tags.push({ tag, value: space === '' ? null : value, line })
  }
  return { tags, rest: '' }
}

export const joinTags = (tags: readonly Pick<TagLine, 'line'>[], rest: string): string =>
  [...tags.map(({ line }) => line), ...(rest === '' ? [] : [rest])].join('\n')
