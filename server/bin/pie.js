#!/usr/bin/env node
// Plain JavaScript, so that an old Node can say what is wrong instead of failing at what it cannot read.
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
const source = new URL('../src/command-line.ts', import.meta.url)
// The repository runs its TypeScript as it is; a package has it built, for older Nodes too.
const isRepository = existsSync(source)
const isTooOld = isRepository ? major < 24 : major < 22 || (major === 22 && minor < 12)
if (isTooOld) {
  process.stderr.write(
    isRepository
      ? `pie: this is Node ${process.version}, and this repository needs 24. Run it through npm (npm start, npm exec pie), which uses the Node that comes with it.\n`
      : `pie: this is Node ${process.version}, and Pie needs 22.12 or later.\n`,
  )
  process.exit(1)
}
module.enableCompileCache?.()
const built = new URL('../dist/server/src/command-line.js', import.meta.url)
const { runCommandLine } = await import(isRepository ? source.href : built.href)
await runCommandLine()
