/** The code in a guide, so that what it shows is what runs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../', import.meta.url))

export interface Block {
  /** What stands behind the fence: `sql`, `ts`, `python`, … */
  language: string
  text: string
  /** Where it begins, to find it by. */
  place: string
}

/** The fenced blocks of a file in docs/guides/, in order. */
export const readGuide = (name: string): Block[] => readBlocks(`docs/guides/${name}`)

/** The same of any file of the repository. */
export function readBlocks(name: string): Block[] {
  const lines = readFileSync(join(repository, name), 'utf8').split('\n')
  const blocks: Block[] = []
  let open: { language: string; from: number } | null = null
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('```')) continue
    if (open === null) {
      open = { language: line.slice(3), from: index + 1 }
      continue
    }
    const text = `${lines.slice(open.from, index).join('\n')}\n`
    blocks.push({ language: open.language, text, place: `${name}:${open.from + 1}` })
    open = null
  }
  if (open !== null) throw new Error(`${name} has a block without an end`)
  return blocks
}

export interface Workshop {
  directory: string
  /** Writes a file there, and returns where it is. */
  write(name: string, text: string): string
  remove(): void
}

/** A directory inside the repository, from where `@pie/server` is found as an application finds it. */
export function makeWorkshop(): Workshop {
  const directory = mkdtempSync(join(repository, 'test', '.workshop-'))
  return {
    directory,
    write: (name, text) => {
      const path = join(directory, name)
      writeFileSync(path, text)
      return path
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

export const compiler = join(repository, 'node_modules', '.bin', 'tsc')
export const compilerOptions = join(repository, 'tsconfig.json')
