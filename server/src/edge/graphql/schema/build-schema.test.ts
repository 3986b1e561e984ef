import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type GraphQLSchema, printSchema } from 'graphql'
import { openPeopledDatabase, type PeopledDatabase } from '../../../../../database/test/people.ts'
import type { Database } from '../../../ground/database/pool.ts'
import { type BuiltSchema, buildSchema } from './build-schema.ts'

let db: PeopledDatabase
let requests: Database
before(async () => {
  db = await openPeopledDatabase()
  requests = db.openRequests(3)
})
after(() => db.close())

const fieldsOf = ({ schema }: { schema: GraphQLSchema }, type: string): string[] => {
  const found = schema.getType(type)
  return found !== undefined && 'getFields' in found ? Object.keys(found.getFields()) : []
}

const labelsOf = ({ schema }: { schema: GraphQLSchema }, type: string): string[] => {
  const found = schema.getType(type)
  return found !== undefined && 'getValues' in found
    ? found.getValues().map(({ name }) => name)
    : []
}

/** Builds the schema of webuser over schemas that this SQL makes, and takes them away again. */
async function withSql(
  sql: string,
  work: (built: BuiltSchema) => void | Promise<void>,
  schemas: readonly string[] = ['app'],
): Promise<void> {
  const names = schemas.map((name) => `"${name}"`)
  await db.owner.query(
    [
      ...names.map((name) => `create schema ${name}; grant usage on schema ${name} to webuser;`),
      `${sql};`,
      ...names.map((name) => `grant all on all tables in schema ${name} to webuser;`),
    ].join('\n'),
  )
  try {
    await work(await buildSchema(requests, [...schemas, 'pie_schema'], 'webuser'))
  } finally {
    await db.owner.query(names.map((name) => `drop schema ${name} cascade;`).join('\n'))
  }
}

const wordsOf = ({ problems }: BuiltSchema): string =>
  problems.map(({ kind, object, what, mend }) => `${kind}: ${object} ${what}; ${mend}`).join('\n')

const assertPieIsWhole = (built: BuiltSchema): void => {
  const query = fieldsOf(built, 'Query')
  for (const name of ['me', 'user', 'users', 'currentUserId', 'mySessions', 'node'])
    assert.ok(query.includes(name), name)
  assert.ok(fieldsOf(built, 'User').includes('userEmails'))
}

const odd: Record<
  string,
  {
    sql: string
    schemas?: string[]
    query?: string[]
    saying?: RegExp
    check?: (built: BuiltSchema) => void
  }
> = {
  "a table `users`, which is Pie's": {
    sql: 'create table app.users (id int primary key, name text)',
    query: ['appUser', 'appUsers'],
    saying:
      /renamed: table app\.users .*table pie_schema\.users.*comment on table app\.users is '@name app_users'/,
  },
  'a table `profiles`, which many have, and had before Pie': {
    sql: 'create table app.profiles (id int primary key, owner uuid references pie_schema.profiles (user_id))',
    query: ['profile', 'profiles', 'pieProfile', 'pieProfiles'],
    saying: /renamed: table pie_schema\.profiles .*table app\.profiles/,
  },
  "a function `current_user_id`, which is Pie's": {
    sql: 'create function app.current_user_id() returns uuid language sql stable as $$ select null::uuid $$',
    query: ['appCurrentUserId'],
    saying:
      /renamed: function app\.current_user_id\(\) .*function pie_schema\.current_user_id\(\).*comment on function app\.current_user_id\(\) is/,
  },
  'one table in two schemas': {
    sql: 'create table app.logs (id int primary key); create table app2.logs (id int primary key)',
    schemas: ['app', 'app2'],
    query: ['log', 'logs', 'app2Log', 'app2Logs'],
    saying: /renamed: table app2\.logs .*table app\.logs/,
  },
  'a table in the singular and in the plural': {
    sql: 'create table app.teams (id int primary key); create table app.team (id int primary key)',
    query: ['team', 'teams', 'appTeam', 'appTeams'],
    saying: /renamed: table app\.teams .*table app\.team\b/,
  },
  'tables that quotes tell apart': {
    sql: 'create table app."Orders" (id int primary key); create table app.orders (id int primary key)',
    query: ['order', 'orders', 'appOrder', 'appOrders'],
    saying: /renamed: table app\."Orders" .*table app\.orders/,
  },
  'a table and a function of one name': {
    sql: 'create table app.item (id int primary key); create function app.item(id int) returns int language sql stable as $$ select 1 $$',
    query: ['item', 'items', 'appItem'],
    saying: /renamed: function app\.item\(id integer\) .*table app\.item/,
  },
  'labels that are no names': {
    sql: `create type app.state as enum ('in progress', 'IN_PROGRESS', 'in-progress', 'done', 'true', 'null', '', '!!!', '日本', '2024', '>=');
      create table app.jobs (id int primary key, state app.state)`,
    check: (built) =>
      assert.deepEqual(labelsOf(built, 'State'), [
        'IN_PROGRESS_2',
        'IN_PROGRESS',
        'IN_PROGRESS_3',
        'done',
        'TRUE',
        'NULL',
        '_EMPTY_',
        '_21_21_21',
        'Ri_Ben',
        '_2024',
        'GREATER_THAN_OR_EQUAL',
      ]),
    saying:
      /renamed: label 'in progress' of type app\.state would be IN_PROGRESS, as label 'IN_PROGRESS' is: it is shown as IN_PROGRESS_2; .*rename value 'in progress' to/,
  },
  'columns that are no names': {
    sql: `create table app.sums (id int primary key, "2024" int, "in progress" int, in_progress int, "inProgress" int, "!!!" int, "日本" int,
      __typename int, "__x" int, node_id int, "nodeId" int, primary_key int, "natural" int, "" "char")`.replace(
      ', "" "char"',
      '',
    ),
    check: (built) =>
      assert.deepEqual(fieldsOf(built, 'Sum'), [
        'nodeId',
        '_2024',
        'id',
        'inProgress2',
        'inProgress',
        'inProgress3',
        '_212121',
        'riBen',
        '_typename',
        '_x',
        'nodeId2',
        'nodeId3',
        'primaryKey',
        'natural',
      ]),
  },
  'tables named as GraphQL names its own': {
    sql: 'query mutation subscription node nodes me int string date json float boolean id uuid point line cursor page_info datetime interval text void input patch __x __schema'
      .split(' ')
      .map((name) => `create table app."${name}" (id int primary key, name text);`)
      .join('\n'),
  },
  'tables named as types of other tables': {
    sql: 'note note_input note_patch note_connection notes_connection note_edge note_condition notes_order_by create_note_input create_note_payload note_record update_note_input note_by_id'
      .split(' ')
      .map((name) => `create table app."${name}" (id int primary key, name text unique);`)
      .join('\n'),
  },
  'tables with names of no letters, of other letters, and of too many': {
    sql: [
      '!!!',
      '???',
      '_',
      '___',
      '日本',
      '日 本',
      '2024',
      'a b',
      'a-b',
      'a_b',
      'aB',
      'ab',
      "o'clock",
      'with"quote',
      'back\\slash',
      'x'.repeat(63),
      '🙂',
      'Straße',
      'strasse',
      'ünïcode',
      'new\nline',
      '$',
      'a$b',
    ]
      .map(
        (name) =>
          `create table app."${name.replaceAll('"', '""')}" (id int primary key, "${name.replaceAll('"', '""')}" text, other int references app."${name.replaceAll('"', '""')}");`,
      )
      .join('\n'),
  },
  'tables whose plural is their singular': {
    sql: 'sheep data series news species media status address'
      .split(' ')
      .map((name) => `create table app."${name}" (id int primary key);`)
      .join('\n'),
  },
  'foreign keys whose names meet': {
    sql: `create table app.people (id int primary key, name text);
      create table app.letters (id int primary key, sender_id int references app.people, sender text, "senderId" int references app.people,
        person int references app.people, person_id int references app.people, node_id int references app.people, people int references app.people(id), constraint again foreign key (sender_id) references app.people, id_id int references app.people);
      alter table app.people add column letters int, add column "lettersBySenderId" int, add column best_letter_id int references app.letters;
      create table app.selves (id int primary key, self_id int references app.selves, parent_id int references app.selves)`,
  },
  'functions named as fields that are there already': {
    sql: `create table app.users (id int primary key, name text);
      create function app.update_user() returns int language sql as $$ select 1 $$;
      create function app.create_app_user() returns int language sql as $$ select 1 $$;
      create function app.users() returns setof app.users language sql stable as $$ select * from app.users $$;
      create function app.me() returns int language sql stable as $$ select 1 $$;
      create function app.node() returns int language sql stable as $$ select 1 $$;
      create function app.query() returns int language sql as $$ select 1 $$;
      create function app."end"() returns int language sql as $$ select 1 $$`,
  },
  'functions with arguments of all kinds': {
    sql: `create table app.items (id int primary key, name text);
      create function app.unnamed(int, int) returns int language sql stable as $$ select 1 $$;
      create function app.same("a b" int, a_b int, "aB" int, "!" int, "2" int) returns int language sql stable as $$ select 1 $$;
      create function app.variadic_one(variadic a int[]) returns int language sql stable as $$ select 1 $$;
      create function app.defaults(a int default 1, b text default 'x', c int[] default '{}') returns int language sql as $$ select 1 $$;
      create function app.paging(first int, "after" int, order_by int) returns setof app.items language sql stable as $$ select * from app.items $$;
      create function app.of_client(client_mutation_id int, input int, result int) returns int language sql as $$ select 1 $$;
      create function app.two(out a int, out "a b" text, out ab int) language sql stable as $$ select 1, '2', 3 $$;
      create function app.tab(x int) returns table ("in progress" int, in_progress int, "!!!" int, node_id int) language sql stable as $$ select 1, 2, 3, 4 $$;
      create function app.rec() returns record language sql stable as $$ select 1, 2 $$;
      create function app.poly(a anyelement) returns anyelement language sql stable as $$ select a $$;
      create function app.poly_array(a anyarray) returns anyelement language sql stable as $$ select a[1] $$;
      create function app.over(a int) returns int language sql stable as $$ select 1 $$;
      create function app.over(a text) returns int language sql stable as $$ select 1 $$;
      create function app.items_name(i app.items) returns text language sql stable as $$ select 'x' $$;
      create function app.name(i app.items) returns text language sql stable as $$ select 'x' $$;
      create function app.node_id(i app.items) returns text language sql stable as $$ select 'x' $$;
      create function app.items_x(i app.items) returns text language sql stable as $$ select 'x' $$;
      create function app.x(i app.items) returns text language sql stable as $$ select 'x' $$;
      create function app.items_list(i app.items[]) returns int language sql stable as $$ select 1 $$;
      create function app.nothing() returns void language sql as $$ select $$;
      create function app.triggers() returns trigger language plpgsql as $$ begin return new; end $$;
      create function app.cb(internal) returns internal language internal as 'array_agg_finalfn';
      create procedure app.proc(a int) language sql as $$ select 1 $$;
      create aggregate app.total(int) (sfunc = int4pl, stype = int)`.replace(
      /create function app\.cb.*\n/,
      '',
    ),
    saying: /left-out: function app\.over\(a integer\) is left out: app\.over\(a text\)/,
  },
  'types of all kinds': {
    sql: `create type app.mood as enum ('a'); create domain app.moody as app.mood; create domain app.moods as app.mood[];
      create domain app.email as text check (value <> ''); create domain app.emails as app.email;
      create type app.pair as ("first one" int, node_id text); create type app.nested as (pair app.pair, pairs app.pair[]);
      create type app.span as range (subtype = int); create type app.span2 as range (subtype = text);
      create domain app.spans as app.span; create domain app.dpair as app.pair;
      create table app.things (id int primary key generated always as identity, m app.mood, ms app.mood[], md app.moody, mds app.moods, e app.email, es app.emails, p app.pair, ps app.pair[], n app.nested,
        s app.span, s2 app.span2, sp app.spans, dp app.dpair, mr int4multirange, smr app.span_multirange, ts tstzrange, d daterange, x xml, i interval, b bit(3), vb varbit, pt point, ci cidr, ma macaddr, mo money, o oid, rc regclass, tv tsvector, tq tsquery, js json, jp jsonpath, by bytea, ch "char", na name, nu numeric(3,1)[], dd date[][], sn pg_snapshot, ls pg_lsn, gen int generated always as (1) stored, own app.other_row)`.replace(
      ', own app.other_row',
      '',
    ),
    saying: /left-out: column app\.things\.mr .*int4multirange/,
  },
  'views, partitions, inheritance and what has no key': {
    sql: `create table app.events (id int, at date, primary key (id, at)) partition by range (at);
      create table app.events_2024 partition of app.events for values from ('2024-01-01') to ('2025-01-01');
      create table app.event partition of app.events for values from ('2025-01-01') to ('2026-01-01') partition by range (at);
      create table app.event_sub partition of app.event for values from ('2025-01-01') to ('2025-06-01');
      create table app.base (id int primary key, name text); create table app.derived (extra int) inherits (app.base); create table app.both (x int) inherits (app.base, app.derived);
      create view app.seen as select * from app.base; create view app.nothing_in_it as select 1 as "?column?", 2 as "2";
      create materialized view app.kept as select * from app.base; create table app.no_columns (); create unlogged table app.fast (id int);
      create table app.refers (id int primary key, event_id int, event_at date, foreign key (event_id, event_at) references app.events)`,
    query: ['events', 'fasts', 'seens', 'kepts', 'bases', 'deriveds'],
    saying: /^left-out: table app\.no_columns [^\n]*$/,
  },
  'comments that are no smart comments': {
    sql: `create table app.a (id int primary key, b int); create table app.b (id int primary key);
      comment on table app.a is E'@name\n@name x\n@behavior nonsense\n@foreignKey (b) references nowhere (id)\n@omit\n@unknown {"a": \nText';
      comment on table app.b is '@name users'; comment on column app.a.id is E'@name node_id'; comment on column app.a.b is '@name !!!';
      comment on constraint a_pkey on app.a is '@fieldName node'`,
    query: ['users', 'appUsers'],
    saying: /left-out: table app\.a is shown as if it had no @foreignKey .*nowhere/,
  },
  'smart comments that cannot be followed': {
    sql: `create table app.c (id int primary key, b int); comment on table app.c is '@foreignKey (nope) references app.c (nope)';
      create table app.e (id int, b int); comment on table app.e is '@primaryKey nope';
      create table app.fine (id int primary key);
      create table app.g (id int primary key); comment on table app.g is '@behavior +nonsense:::';
      create table app.u (id int primary key); comment on table app.u is '@unique nope'; create table app.en (id text primary key); comment on table app.en is '@enum';
      create table app.in1 (id int primary key); comment on table app.in1 is '@interface mode:nonsense'; create table app.r (id int primary key); comment on table app.r is '@ref nope'; create table app.im (id int primary key); comment on table app.im is '@implements Nope'`,
    query: ['fine', 'cs', 'es', 'gs', 'us', 'in1S', 'rs', 'ims'],
    saying:
      /left-out: table app\.c is shown as if it had no @foreignKey \(nope\).*there is no column nope in c;/,
  },
  'smart comments over which PostGraphile fails, more than a few': {
    sql: `${Array.from({ length: 16 }, (_, index) => `create table app.t${index} (id int primary key, name text); comment on table app.t${index} is '@name';`).join('\n')}
      create table app.fine (id int primary key);
      create table app.twice (id int primary key); comment on table app.twice is E'@name a\n@name b\nOf two names.';
      create table app.nodes_too (id int primary key); comment on table app.nodes_too is '@implements Node';
      create table app.unions (id int primary key); comment on table app.unions is '@interface mode:union';
      create table app.keys (id int primary key, fine_id int); comment on table app.keys is E'@foreignKey (fine_id) references fine (id)\n@unique fine_id, id\n@primaryKey "id"\n@behavior';
      create table app.columns (id int primary key, a int); comment on column app.columns.a is '@name';
      comment on constraint columns_pkey on app.columns is '@fieldName';
      create type app.labels as enum ('__proto__', 'constructor', 'other'); create table app.labeled (id int primary key, label app.labels);
      create view app.numbers as select 1 as id; comment on view app.numbers is E'@primaryKey id\n@enum'`,
    query: [
      'fine',
      't0S',
      't15S',
      'twices',
      'nodesToos',
      'unions',
      'keys',
      'columns',
      'labeleds',
      'numbers',
    ],
    saying:
      /left-out: table app\.twice is shown as if it had no @name b: it is given more than once;/,
    check: (built) => {
      assert.deepEqual(labelsOf(built, 'Labels'), ['PROTO', 'constructor', 'other'])
      assert.ok(fieldsOf(built, 'Key').includes('fine'))
      assert.doesNotMatch(wordsOf(built), /is left out|cannot read/)
    },
  },
  'what PostGraphile leaves out without a word': {
    sql: `create type app.pair as (a int, b text); create domain app.dpair as app.pair; create type app.none as enum (); create domain app.no as app.none;
      create table app.things (id int primary key, e app.none, es app.none[], d app.no, seen int);
      create table app.kinds (kind text primary key); comment on table app.kinds is '@enum';
      create table app.of_kinds (id int primary key, kind text references app.kinds, hidden int); comment on column app.of_kinds.hidden is '@behavior -*';
      create function app.domain_of_pair() returns app.dpair language sql stable as $$ select null::app.dpair $$;
      create function app.classes() returns setof pg_catalog.pg_class language sql stable as $$ select * from pg_class $$;
      create function app.lists() returns setof int[] language sql stable as $$ select '{1}'::int[] $$;
      create function app.fine(a int) returns int language sql stable as $$ select 1 $$;
      create function app.hidden_one() returns int language sql stable as $$ select 1 $$; comment on function app.hidden_one() is '@behavior -*';
      create procedure app.proceed(a int) language sql as $$ select 1 $$;
      create aggregate app.total(int) (sfunc = int4pl, stype = int)`,
    query: ['fine', 'thing', 'ofKind'],
    saying: /left-out: procedure app\.proceed/,
    check: (built) => {
      const words = wordsOf(built)
      for (const object of [
        'column app.things.e',
        'column app.things.es',
        'column app.things.d',
        'column app.of_kinds.kind',
        'function app.domain_of_pair()',
        'function app.classes()',
        'function app.lists()',
        'aggregate app.total(integer)',
      ]) {
        const [, name = ''] = /\.(\w+)\(/.exec(object) ?? []
        const field = name.replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())
        if (!fieldsOf(built, 'Query').includes(field))
          assert.ok(words.includes(`left-out: ${object} is left out`), `${object}\n${words}`)
      }
      assert.doesNotMatch(words, /kinds\.hidden|hidden_one|app\.fine|things\.seen/)
    },
  },
  "names given to relations that are Pie's": {
    sql: `create table app.mails (id int primary key, a uuid references pie_schema.users, b uuid references pie_schema.profiles, c uuid references pie_schema.users);
      comment on constraint mails_a_fkey on app.mails is '@foreignFieldName userEmails';
      comment on constraint mails_b_fkey on app.mails is '@foreignFieldName user';
      comment on constraint mails_c_fkey on app.mails is '@foreignConnectionFieldName userRoles'`,
    query: ['mail', 'allMail'],
    saying: /renamed: .*would be userEmails/,
    check: (built) => {
      const typeOf = (type: string, field: string) => {
        const found = built.schema.getType(type)
        return found !== undefined && 'getFields' in found
          ? String(found.getFields()[field]?.type)
          : ''
      }
      assert.match(typeOf('User', 'userEmails'), /^UserEmailConnection!?$/)
      assert.match(typeOf('User', 'userRoles'), /^UserRoleConnection!?$/)
      assert.match(typeOf('Profile', 'user'), /^User!?$/)
      assert.match(wordsOf(built), /renamed: .*would be userRoles/)
    },
  },
  'enums made of rows that are named as something else': {
    sql: `create table app.foos (id text primary key); comment on table app.foos is E'@enum\n@enumName User'; insert into app.foos values ('a');
      create table app.bars (id text primary key); comment on table app.bars is E'@enum\n@enumName user'; insert into app.bars values ('b');
      create table app.odds (id text primary key); comment on table app.odds is E'@enum\n@enumName my enum!'; insert into app.odds values ('c');
      create table app.uses (id int primary key, foo text references app.foos, bar text references app.bars, odd text references app.odds)`,
    query: ['use', 'uses'],
    saying: /renamed: table app\.foos would be an enum User, as table pie_schema\.users is/,
    check: (built) => {
      assert.deepEqual(fieldsOf(built, 'Use').slice(0, 5), ['nodeId', 'id', 'foo', 'bar', 'odd'])
      assert.deepEqual(labelsOf(built, 'AppUser'), ['a'])
      assert.deepEqual(labelsOf(built, 'Appuser'), ['b'])
      assert.deepEqual(labelsOf(built, 'MyEnum'), ['c'])
    },
  },
  'ranges named as something else': {
    sql: `create type app.users as range (subtype = int); create type app.date as range (subtype = int);
      create type app.span as range (subtype = int); create type app2.span as range (subtype = int);
      create table app.ranged (id int primary key, u app.users, d app.date, day date, s app.span, o app2.span);
      create table app.clean (id int primary key)`,
    schemas: ['app', 'app2'],
    query: ['rangeds', 'cleans'],
    saying: /renamed: type app\.users .*table pie_schema\.users/,
    check: (built) =>
      assert.deepEqual(fieldsOf(built, 'Ranged'), ['nodeId', 'id', 'u', 'd', 'day', 's', 'o']),
  },
}

describe('a schema is built, and Pie’s own is in it, beside', () => {
  for (const [name, { sql, schemas, query = [], saying = /^/, check }] of Object.entries(odd))
    test(name, () =>
      withSql(
        sql,
        (built) => {
          assertPieIsWhole(built)
          // Nothing is left out but what a test says.
          if (!/left-out/.test(saying.source)) assert.doesNotMatch(wordsOf(built), /left-out/)
          for (const field of query)
            assert.ok(
              fieldsOf(built, 'Query').includes(field),
              `${field}: ${fieldsOf(built, 'Query')}\n${wordsOf(built)}`,
            )
          assert.match(wordsOf(built), saying)
          check?.(built)
        },
        schemas,
      ),
    )
})

describe('what a role may not touch', () => {
  const awful = `
    create table app.users (id int primary key);
    create table app."!!!" ("" "char")`.replace('"" "char"', '"2024" int')

  test('changes nothing for it, whatever it is called; for the role that may, it is there', async () => {
    await db.owner.query(`create schema app; grant usage on schema app to webuser;
      create table app.notes (id int primary key, body text, "in progress" text);
      grant select (id, body) on app.notes to webuser`)
    try {
      const of = async (role: 'webuser' | 'webadmin') =>
        buildSchema(requests, ['app', 'pie_schema'], role)
      const before = printSchema((await of('webuser')).schema)
      await db.owner.query(`${awful};
        create function app.current_user_id() returns int language sql stable as $$ select 1 $$;
        create function app.note(int) returns int language sql stable as $$ select 1 $$;
        create function app.note(text) returns int language sql stable as $$ select 1 $$;
        revoke execute on all functions in schema app from public;
        alter table app.notes add column "inProgress" text, add column node_id text;
        create schema closed; create table closed.notes (id int primary key); grant select on closed.notes to webuser;
        grant select on app.users to webadmin`)
      const after = await buildSchema(requests, ['app', 'closed', 'pie_schema'], 'webuser')
      assert.equal(printSchema(after.schema), before)
      assert.deepEqual(after.problems, [])
      assert.ok(fieldsOf(await of('webadmin'), 'Query').includes('appUsers'))
      assert.match(before, /type Note implements Node/)
      assert.doesNotMatch(before, /inProgress/)
    } finally {
      await db.owner.query('drop schema app cascade; drop schema if exists closed cascade')
    }
  })
})
