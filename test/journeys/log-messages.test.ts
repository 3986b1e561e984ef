/** docs/guides/production.md says of every message of the log what to do about it. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../../server/src/', import.meta.url))
const guide = readFileSync(new URL('../../docs/guides/production.md', import.meta.url), 'utf8')

/** What a program puts into a message is … here, and long texts are one. */
const plain = (text: string) =>
  text
    .replaceAll('`', "'")
    .replace(/' \+\s*'/g, '')
    .replace(/\$\{[^}]*\}/g, '…')

const texts = globSync('**/*.ts', { cwd: source })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => {
    const written = readFileSync(join(source, file), 'utf8')
    return { file, written, text: plain(written) }
  })

const rows = [...guide.matchAll(/^\| (?:info|warning|error|fatal)[^|]*\| `([^`]+)` \|/gm)].map(
  ([, message = '']) => message,
)

/** What is logged as somebody else has put it: the row that says so, or what it is of. */
const passedOn: Record<string, string> = {
  'ground/log.ts (error as Error).message': 'A readable log …',
  'command-line.ts reason': 'The embedded Postgres has ended',
  'plugin.ts reason': 'The embedded Postgres has ended',
  'composition/open-pie.ts warning': 'is no setting: is that',
  'composition/open-session-ground.ts warning': 'is no setting: is that',
  'composition/watch-nodes.ts adviceFor(one)': 'another node of this database has another …',
  'composition/check-database.ts findingInWords(finding)': '… Mend it: …',
  'edge/graphql/schema/tell-problems.ts text': '… to name it yourself: comment on …',
  'ground/cache/shared-cache.ts message': 'the shared cache cannot be read',
}

/** The last argument of every call that logs at info or above. */
function messagesOf(text: string): string[] {
  return [...text.matchAll(/\blog(?:\.(?:info|warn|error|fatal)|\[[^\n(]*\])\(/g)].map((call) => {
    const from = call.index + call[0].length
    let depth = 1
    let last = from
    for (let at = from; at < text.length; at += 1) {
      if (text[at] === "'") at = text.indexOf("'", at + 1)
      else if ('([{'.includes(text[at] as string)) depth += 1
      else if (')]}'.includes(text[at] as string)) depth -= 1
      else if (text[at] === ',' && depth === 1 && /^,\s*[^\s)]/.test(text.slice(at))) last = at + 1
      if (depth === 0) return text.slice(last, at).trim().replace(/,$/, '')
    }
    throw new Error(`a call has no end: ${text.slice(from, from + 80)}`)
  })
}

/** Whether a row's text, whose … stands for anything, is that of a message. */
function says(row: string, message: string): boolean {
  const parts = row.split('…').map((part) => part.trim())
  let at = 0
  return parts.every((part) => {
    const found = message.indexOf(part, at)
    at = found + part.length
    return found >= 0
  })
}

const logged = texts.flatMap(({ file, text }) =>
  messagesOf(text).map((message) => ({ file, message })),
)

test('every message at info and above has its line in the guide', () => {
  assert.ok(logged.length >= 25, `only ${logged.length} were found`)
  for (const { file, message } of logged) {
    const text = message.startsWith("'") ? message.slice(1, -1) : undefined
    const known = text ?? passedOn[`${file} ${message}`]
    assert.ok(known !== undefined, `nobody knows what ${file} logs as ${message}`)
    const isThere =
      text === undefined ? guide.includes(known) : rows.some((row) => says(row, known))
    assert.ok(isThere, `${file}: ${known}`)
  }
})

test('every line in the guide is a message that there is', () => {
  assert.ok(rows.length >= 25, `only ${rows.length} were found`)
  for (const row of rows)
    assert.ok(
      texts.some(({ text, written }) => says(row, text) || says(row, written)),
      row,
    )
})
