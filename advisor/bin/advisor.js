#!/usr/bin/env node
// Plain JavaScript, so that an old Node can say what is wrong instead of failing at what it cannot read.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`advisor: this is Node ${process.version}, and it needs 22.12 or later.\n`)
  process.exit(2)
}
const built = new URL('../dist/advisor/src/command-line.js', import.meta.url)
const source = new URL('../src/command-line.ts', import.meta.url)
const { runCommandLine } = await import(existsSync(source) ? source.href : built.href)
await runCommandLine()
