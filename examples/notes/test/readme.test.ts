/** What README.md says to type does what it says. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { readBlocks } from '../../../test/harness/guide.ts'
import { openNotes } from './open-notes.ts'

test('trying it shows ada’s notes, and to grace who wrote the one that is shared with her', async () => {
  const notes = await openNotes()
  try {
    const [start, ...tried] = readBlocks('examples/notes/README.md').filter(
      ({ language }) => language === 'sh',
    )
    assert.match(start?.text ?? '', /npm start/)
    const typed = tried.map(({ text }) => text).join('echo\necho ---\n')
    const asTyped = typed.replace('http://localhost:3000', notes.address)
    assert.notEqual(asTyped, typed)
    const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` }
    const { stdout } = await promisify(execFile)('sh', ['-euc', asTyped], { env })
    const [ofAda = '', ofGrace = ''] = stdout.split('---\n')
    const titles = [...ofAda.matchAll(/"title":"(\w+)"/g)].map(([, title]) => title)
    assert.deepEqual(titles, ['Welcome', 'Plan'])
    assert.deepEqual(
      [...ofAda.matchAll(/"owner_name":"([\w ]+)"/g)].map(([, name]) => name),
      ['Ada Lovelace', 'Ada Lovelace'],
    )
    const [rest = '', graphql = ''] = ofGrace.split(/(?<=\})(?=\{"data")/)
    assert.deepEqual(
      JSON.parse(rest).notes.map(({ title, owner_name }: Record<string, string>) => [
        title,
        owner_name,
      ]),
      [
        ['Plan', 'Ada Lovelace'],
        ['Welcome', 'Grace Hopper'],
      ],
    )
    const { data } = JSON.parse(graphql)
    const byName = (one: { displayName: string }, other: { displayName: string }) =>
      one.displayName < other.displayName ? -1 : 1
    assert.deepEqual(data.profiles.nodes.sort(byName), [
      { displayName: 'Ada Lovelace' },
      { displayName: 'Grace Hopper' },
    ])
    assert.deepEqual(data.users.nodes, [{ name: 'Grace Hopper' }])
    assert.deepEqual(
      data.notes.nodes.find(({ title }: { title: string }) => title === 'Plan'),
      { title: 'Plan', owner: { displayName: 'Ada Lovelace' } },
    )
  } finally {
    await notes.close()
  }
})
