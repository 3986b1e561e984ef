import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTokens } from '../../advisor/src/lint/sql-text/read-tokens.ts'

const read = (sql: string) => readTokens(sql).map(({ type, value }) => `${type} ${value}`)

test('words are in lower case, and names are as they are between their quotes', () => {
  assert.deepEqual(read('SELECT "Id""s" from Çafé_1$.x'), [
    ...['word select', 'name Id"s', 'word from', 'word çafé_1$', 'sign .', 'word x'],
  ])
  assert.deepEqual(read('U&"d\\0061t"'), ['name d\\0061t'])
})

test('comments are nothing, also in each other, and what looks like one in a string is none', () => {
  assert.deepEqual(read("a -- 'b\n/* c /* d */ ' */ e"), ['word a', 'word e'])
  assert.deepEqual(read('\'--\' "/*" $$/*$$'), ['string --', 'name /*', 'string /*'])
  assert.deepEqual(read('a-- b'), ['word a'])
  assert.deepEqual(read('1 +/* x */2'), ['number 1', 'sign +', 'number 2'])
})

test('strings of every form', () => {
  assert.deepEqual(read(`'it''s' E'it\\'s\\n' e'\\\\' b'01' X'1f' n'é' U&'\\0061'`), [
    ...["string it's", "string it's\n", 'string \\', 'string 01', 'string 1f', 'string é'],
    'string \\0061',
  ])
  assert.deepEqual(read(`'a\\' || b`), ['string a\\', 'sign ||', 'word b'])
  assert.deepEqual(read('$$a $b$ c$$ $é_1$ $$ $é_1$'), ['string a $b$ c', 'string  $$ '])
  assert.deepEqual(read("''"), ['string '])
})

test('a dollar within a word begins no string, and one before a number is a parameter', () => {
  assert.deepEqual(read('a$$b$$ $1 $12x'), [
    'word a$$b$$',
    'parameter $1',
    'parameter $12',
    'word x',
  ])
})

test('numbers, and the dots of a loop', () => {
  assert.deepEqual(read('1.5e-3 .5 1_000 0xFF 1..10 2.'), [
    ...['number 1.5e-3', 'number .5', 'number 1_000', 'number 0xFF'],
    ...['number 1', 'sign ..', 'number 10', 'number 2.'],
  ])
})

test('operators are read whole, and end before a comment', () => {
  assert.deepEqual(read('a->>b::text :=c=>d<=e ? f[1]'), [
    ...[
      'word a',
      'sign ->>',
      'word b',
      'sign ::',
      'word text',
      'sign :=',
      'word c',
      'sign =>',
      'word d',
    ],
    ...['sign <=', 'word e', 'sign ?', 'word f', 'sign [', 'number 1', 'sign ]'],
  ])
})

test('what does not end is read to its end, and nothing is lost or read twice', () => {
  for (const sql of ["'a", "e'a\\", '"a', '$$a', '/* /* */ a', '$', '\\ ` \u0000 €', "$a'b"]) {
    let place = 0
    for (const { start, end } of readTokens(sql)) {
      assert.ok(start >= place && end > start, sql)
      place = end
    }
    assert.ok(place <= sql.length)
  }
  assert.deepEqual(read("'it''s"), ["string it's"])
})

test('takes time that grows with the text and no faster', () => {
  for (const piece of ["'a''", '$a$', '/*', '"', "e'\\", 'a ', '1.', '- ', '$x']) {
    const began = performance.now()
    readTokens(piece.repeat(200_000))
    assert.ok(performance.now() - began < 3000, piece)
  }
})
