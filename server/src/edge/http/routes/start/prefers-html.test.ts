import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prefersHtml } from './prefers-html.ts'

test('a page is for who asks for one by name', () => {
  for (const accept of [
    'text/html',
    'TEXT/HTML',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'text/html;charset=utf-8;q=0.5',
    'application/json, text/html',
    'application/json;q=0.4, text/html;q=0.5',
  ])
    assert.ok(prefersHtml(accept), accept)
})

test('everybody else gets JSON', () => {
  for (const accept of [
    undefined,
    '',
    '*/*',
    'text/*',
    'application/json',
    'text/html;q=0',
    'text/html;q=nonsense',
    'text/html;q=0.4, application/json;q=0.5',
    'application/json, text/html;q=0.9',
    'text/html5',
    ';;,,=',
  ])
    assert.ok(!prefersHtml(accept), accept)
})
