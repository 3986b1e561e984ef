/** Whether a page is asked for by name, as browsers do, and nothing says that JSON would be better (RFC 9110 section 12.5.1). */
export function prefersHtml(accept = ''): boolean {
  const weightOf = (type: string): number => {
    const [range] = accept
      .split(',')
      .map((part) => part.split(';').map((piece) => piece.trim().toLowerCase()))
      .filter(([name]) => name === type)
    if (range === undefined) return 0
    const weight = range.find((piece) => piece.startsWith('q='))
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0
  }
  const html = weightOf('text/html')
  return html > 0 && html >= weightOf('application/json')
}
