/** What the editor does in a browser: an ES module, served as it stands here. */
export const script = String.raw`
const find = (id) => document.getElementById(id)
const [query, variables, token, answer, outcome] = ['query', 'variables', 'token', 'answer', 'outcome'].map(find)
const start = '# Who am I?\nquery {\n  me {\n    id\n    name\n  }\n}\n'

query.value = localStorage.getItem('pie graphql query') ?? start
variables.value = localStorage.getItem('pie graphql variables') ?? ''
token.value = sessionStorage.getItem('pie graphql token') ?? ''

/** Sends one operation, with the token, or with the cookie of whoever is signed in and a CSRF token beside it. */
async function send(body) {
  const headers = { 'content-type': 'application/json' }
  if (token.value.trim() !== '') headers.authorization = 'Bearer ' + token.value.trim()
  else {
    const csrf = await fetch('/auth/csrf')
    if (csrf.ok) headers['x-csrf-token'] = (await csrf.json()).csrf_token
  }
  const credentials = headers.authorization === undefined ? 'same-origin' : 'omit'
  return fetch('/graphql', { method: 'POST', headers, credentials, body: JSON.stringify(body) })
}

function say(text, isBad = false) {
  outcome.textContent = text
  outcome.classList.toggle('bad', isBad)
}

/** The names of a document's operations: what stands in comments and texts is none. */
function operationsOf(text) {
  const bare = text.replaceAll(/"""[^]*?"""|"(?:\\.|[^"\\\n])*"|#.*/g, '')
  return [...bare.matchAll(/\b(?:query|mutation)\s+([A-Za-z_]\w*)/g)].map(([, name]) => name)
}

function offerOperations() {
  const names = operationsOf(query.value)
  const chosen = find('operation').value
  find('operation').replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)))
  find('choice').hidden = names.length < 2
}

async function run() {
  let values = {}
  try {
    if (variables.value.trim() !== '') values = JSON.parse(variables.value)
  } catch (error) {
    return say('The variables are no JSON: ' + error.message, true)
  }
  const operationName = find('choice').hidden ? null : find('operation').value
  say('Running …')
  const begin = performance.now()
  try {
    const response = await send({ query: query.value, variables: values, operationName })
    const ms = Math.round(performance.now() - begin)
    const found = await response.json()
    answer.textContent = JSON.stringify(found, null, 2)
    if (response.status === 401) return say('Nobody is signed in: paste an access token, or sign in with a cookie.', true)
    const isBad = !response.ok || found.errors !== undefined
    say(response.status + (isBad ? ', refused' : '') + ', ' + ms + ' ms', isBad)
  } catch (error) {
    say('No answer: ' + error.message, true)
  }
}

find('run').addEventListener('click', run)
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault()
    run()
  }
})

/** Tab indents, unless Escape came before it: whoever has no mouse gets out of the text by that. */
let leaves = false
query.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') leaves = true
  else if (event.key === 'Tab' && !leaves && !event.shiftKey) {
    event.preventDefault()
    query.setRangeText('  ', query.selectionStart, query.selectionEnd, 'end')
  } else leaves = false
})
query.addEventListener('input', offerOperations)
for (const [field, place] of [[query, 'query'], [variables, 'variables']])
  field.addEventListener('input', () => localStorage.setItem('pie graphql ' + place, field.value))
token.addEventListener('input', () => sessionStorage.setItem('pie graphql token', token.value))
token.addEventListener('change', readSchema)

const typeParts = 'kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }'
const introspection = '{ __schema { queryType { name } mutationType { name } types { kind name description ' +
  'fields(includeDeprecated: true) { name description isDeprecated deprecationReason ' +
  'args { name description type { ' + typeParts + ' } } type { ' + typeParts + ' } } ' +
  'inputFields { name description type { ' + typeParts + ' } } enumValues { name description } } } }'

let types = new Map()
let roots = []

async function readSchema() {
  const response = await send({ query: introspection })
  const found = await response.json()
  if (!response.ok || found.data == null) {
    find('documentation').textContent = 'There is no documentation: ' + (found.detail ?? found.title ?? 'no answer') + ' Queries run all the same.'
    find('who').textContent = response.status === 401 ? 'Nobody is signed in.' : ''
    return
  }
  find('who').textContent = token.value.trim() === '' ? 'Signed in with a cookie.' : 'Signed in with an access token.'
  const schema = found.data.__schema
  types = new Map(schema.types.filter(({ name }) => !name.startsWith('__')).map((type) => [type.name, type]))
  roots = [schema.queryType, schema.mutationType].filter((root) => root !== null).map(({ name }) => name)
  showRoots()
}

const written = (type) =>
  type.kind === 'NON_NULL' ? written(type.ofType) + '!' : type.kind === 'LIST' ? '[' + written(type.ofType) + ']' : type.name
const named = (type) => (type.ofType ? named(type.ofType) : type.name)

function element(tag, text = '', ...children) {
  const made = document.createElement(tag)
  made.textContent = text
  made.append(...children)
  return made
}

function link(text, act) {
  const button = element('button', text)
  button.type = 'button'
  button.addEventListener('click', act)
  return button
}

function describeField(field, owner) {
  const args = field.args?.length > 0 ? '(' + field.args.map(({ name, type }) => name + ': ' + written(type)).join(', ') + ')' : ''
  const isRoot = roots.includes(owner)
  const name = isRoot ? link(field.name, () => insert(field, owner)) : element('code', field.name)
  if (isRoot) name.title = 'Write this query'
  const line = element('p', '', name, element('code', args + ': '), link(written(field.type), () => showType(named(field.type))))
  const item = element('li', '', line)
  if (field.description) item.append(element('p', field.description))
  if (field.isDeprecated) item.append(element('p', 'Deprecated: ' + field.deprecationReason))
  return item
}

function show(title, ...parts) {
  find('path').replaceChildren(link('All', showRoots), ...(title === '' ? [] : [' › ' + title]))
  find('documentation').replaceChildren(...parts)
}

const fieldsOf = (name) => types.get(name)?.fields ?? types.get(name)?.inputFields ?? []

function showRoots() {
  show('', ...roots.flatMap((root) => [element('h2', root), element('ul', '', ...fieldsOf(root).map((field) => describeField(field, root)))]))
}

function showType(name) {
  const type = types.get(name)
  if (type === undefined) return
  const values = (type.enumValues ?? []).map((value) => element('li', '', element('code', value.name), element('p', value.description ?? '')))
  const fields = fieldsOf(name).map((field) => describeField(field, name))
  show(name, element('h2', name), element('p', type.description ?? ''), element('ul', '', ...fields, ...values))
}

find('search').addEventListener('input', ({ target }) => {
  const wanted = target.value.trim().toLowerCase()
  if (wanted === '') return showRoots()
  const found = [...types.values()].flatMap((type) =>
    [[type.name, type.name], ...fieldsOf(type.name).map(({ name }) => [name, type.name + '.' + name])]
      .filter(([name]) => name.toLowerCase().includes(wanted))
      .map(([name, label]) => ({ label, distance: name.length + name.toLowerCase().indexOf(wanted), type: type.name })))
  const items = found.sort((one, other) => one.distance - other.distance)
    .map(({ label, type }) => element('li', '', link(label, () => showType(type))))
  show('', element('ul', items.length === 0 ? 'Nothing is called so.' : '', ...items.slice(0, 100)))
})

/** Writes an operation with a root field, what it cannot do without, and the plain fields of its answer. */
function insert(field, owner) {
  const isPlain = ({ type }) => !fieldsOf(named(type)).length && types.get(named(type))?.kind !== 'UNION'
  const plain = (name) => fieldsOf(name).filter((inner) => isPlain(inner) && !inner.args?.length).map(({ name }) => name)
  const result = named(field.type)
  const nodes = fieldsOf(result).find(({ name }) => name === 'nodes')
  const body = nodes ? 'nodes { ' + plain(named(nodes.type)).join(' ') + ' }' : plain(result).join(' ')
  const needed = (field.args ?? []).filter(({ type }) => type.kind === 'NON_NULL')
  const declared = needed.map(({ name, type }) => '$' + name + ': ' + written(type)).join(', ')
  const given = needed.map(({ name }) => name + ': $' + name).join(', ')
  const word = owner === roots[0] ? 'query' : 'mutation'
  const inner = body === '' ? (fieldsOf(result).length > 0 ? ' { __typename }' : '') : ' { ' + body + ' }'
  const text = word + (declared === '' ? '' : ' (' + declared + ')') + ' {\n  ' + field.name + (given === '' ? '' : '(' + given + ')') + inner + '\n}\n'
  query.value = text
  query.dispatchEvent(new Event('input'))
  query.focus()
}

offerOperations()
readSchema()
`
