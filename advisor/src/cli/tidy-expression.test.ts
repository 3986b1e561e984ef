import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tidyExpression } from './tidy-expression.ts'

test('what is selected from nothing loses the name that Postgres gives it, whatever it is', () => {
  for (const [expression, said] of [
    ['( SELECT auth.uid() AS uid)', '(select auth.uid())'],
    [
      `(owner = ( SELECT (NULLIF(current_setting('app.u'::text, true), ''::text))::uuid AS "nullif"))`,
      `(owner = (select (NULLIF(current_setting('app.u'::text, true), ''::text))::uuid))`,
    ],
    [`( SELECT f(') AS x'::text) AS f)`, `(select f(') AS x'::text))`],
    ['(( SELECT f() AS f) = ( SELECT g() AS g))', '((select f()) = (select g()))'],
    [
      '(EXISTS ( SELECT 1 FROM t WHERE (t.a = ( SELECT f() AS f))))',
      '(EXISTS ( SELECT 1 FROM t WHERE (t.a = (select f()))))',
    ],
    ['( SELECT a AS b FROM t)', '( SELECT a AS b FROM t)'],
    ['( SELECT t.a FROM t AS u)', '( SELECT t.a FROM t AS u)'],
    ["(a = '( SELECT b AS b)'::text)", "(a = '( SELECT b AS b)'::text)"],
  ] as const)
    assert.equal(tidyExpression(expression), said)
})
