import { readFileSync } from 'node:fs'

/** The code in a page that stands in fences of one language, in order: what a reader would paste. */
export function fencedCode(file: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...readFileSync(file, 'utf8').matchAll(fence)].map(([, code = '']) => code)
}
