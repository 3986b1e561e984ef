#!/usr/bin/env node
// Plain JavaScript, so that an old Node can say what is wrong instead of failing at TypeScript's types.
import module from 'node:module'

const [major] = process.versions.node.split('.').map(Number)
if (major < 24) {
  process.stderr.write(
    `pie: this is Node ${process.version}, and Pie needs 24. Run it through npm (npm start, npm exec pie), which uses the Node that comes with it.\n`,
  )
  process.exit(1)
}
module.enableCompileCache?.()
const { runCommandLine } = await import('../src/command-line.ts')
await runCommandLine()
