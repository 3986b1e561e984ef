import { type AdvisorShape, plainOwner } from './shape.ts'

/** A shop for films, with what sample databases like to show: domains, enums, partitions, rules, triggers, tsvector, inheritance. */
export const rentals: AdvisorShape = {
  name: 'a sample database of rentals, read by a reporting role',
  presets: [],
  owner: 'rental_owner',
  before: plainOwner(
    'rental_owner',
    `create role reporting login password 'x'; grant create on schema public to rental_owner;`,
  ),
  sql: `
    create type mpaa_rating as enum ('G', 'PG', 'PG-13', 'R', 'NC-17');
    create domain year as integer check (value >= 1901 and value <= 2155);
    create domain short_text as varchar(50) not null default '';
    create sequence actor_actor_id_seq;
    create function last_updated() returns trigger language plpgsql as $$ begin new.last_update = current_timestamp; return new; end $$;
    create table actor (actor_id integer not null default nextval('actor_actor_id_seq') primary key, first_name text not null, last_name text not null, last_update timestamptz default now() not null);
    alter sequence actor_actor_id_seq owned by actor.actor_id;
    create index idx_actor_last_name on actor (last_name);
    create trigger last_updated before update on actor for each row execute procedure last_updated();
    create table language (language_id serial primary key, name char(20) not null);
    create table film (
      film_id serial primary key, title text not null, description text, release_year year, language_id int not null references language on update cascade on delete restrict,
      original_language_id int references language on update cascade on delete restrict, rental_rate numeric(4, 2) default 4.99 not null,
      rating mpaa_rating default 'G', special_features text[], note short_text, fulltext tsvector not null,
      rate_with_tax numeric generated always as (rental_rate * 1.23) stored
    );
    create index film_fulltext_idx on film using gist (fulltext); create index idx_title on film (title); create index idx_fk_language_id on film (language_id);
    create trigger film_fulltext_trigger before insert or update on film for each row execute procedure tsvector_update_trigger('fulltext', 'pg_catalog.english', 'title', 'description');
    create table film_actor (actor_id int references actor on delete restrict, film_id int references film on delete restrict, primary key (actor_id, film_id));
    create table customer (customer_id serial primary key, email text, active boolean default true, create_date date default current_date);
    create table inventory (inventory_id serial primary key, film_id int not null references film, copies int);
    create table rental (rental_id serial primary key, during tstzrange not null, inventory_id int not null references inventory, customer_id int not null references customer, exclude using gist (during with &&));
    create table payment (payment_id serial, customer_id int not null, rental_id int not null, amount numeric(5, 2) not null, payment_date timestamptz not null, primary key (payment_date, payment_id)) partition by range (payment_date);
    create table payment_p2022_01 partition of payment for values from ('2022-01-01') to ('2022-02-01');
    create table payment_p2022_02 partition of payment for values from ('2022-02-01') to ('2022-03-01');
    create table payment_rest partition of payment default;
    alter table only payment_p2022_01 add constraint payment_p2022_01_customer foreign key (customer_id) references customer;
    create table cities (name text, population real, elevation int); create table capitals (state char(2)) inherits (cities);
    create aggregate group_concat(text) (sfunc = textcat, stype = text);
    create view film_list as select f.film_id as fid, f.title, group_concat(a.first_name || ' ' || a.last_name) as actors from film f join film_actor using (film_id) join actor a using (actor_id) group by 1, 2;
    create view customer_list as select customer_id as id, email, case when active then 'active' else '' end as notes from customer;
    create materialized view rental_by_month as select date_trunc('month', payment_date) as month, sum(amount) from payment group by 1;
    create unique index on rental_by_month (month);
    create rule payment_no_delete as on delete to payment_rest do instead nothing;
    create function inventory_in_stock(p_inventory_id integer) returns boolean language plpgsql as $$
    declare v_rentals integer; begin
      select count(*) into v_rentals from rental where inventory_id = p_inventory_id;
      if v_rentals = 0 then return true; end if; return false; end $$;
    create function film_in_stock(p_film_id integer, out p_count integer) returns setof integer language sql as $$
      select inventory_id from inventory where film_id = $1 and inventory_in_stock(inventory_id) $$;
    create function rewards_report(min_monthly integer) returns setof customer language plpgsql security definer as $$
    declare rr record; tmp text; begin
      tmp := 'select * from customer where customer_id > ' || min_monthly;
      for rr in execute tmp loop return next rr; end loop; return; end $$;
    grant usage on schema public to reporting;
    grant select on all tables in schema public to reporting;
    insert into language (name) values ('English'); insert into film (title, language_id) values ('Academy Dinosaur', 1);
    insert into customer (email) values ('ada@example.com'); insert into payment (customer_id, rental_id, amount, payment_date) values (1, 1, 2.99, '2022-01-15');`,
}

/** Names as programs of other systems export them, in quotes and in both cases; nobody is granted anything. */
export const traders: AdvisorShape = {
  name: 'a sample database of traders, in mixed case, of nobody but its owner',
  presets: [],
  owner: 'Trader Owner',
  before: plainOwner('"Trader Owner"', 'grant create on schema public to "Trader Owner";'),
  sql: `
    create table "Artist" ("ArtistId" int not null, "Name" varchar(120), constraint "PK_Artist" primary key ("ArtistId"));
    create table "Album" ("AlbumId" int not null, "Title" varchar(160) not null, "ArtistId" int not null, constraint "PK_Album" primary key ("AlbumId"));
    alter table "Album" add constraint "FK_AlbumArtistId" foreign key ("ArtistId") references "Artist" ("ArtistId") on delete no action on update no action;
    create index "IFK_AlbumArtistId" on "Album" ("ArtistId");
    create table "Customer" ("CustomerId" int primary key, "FirstName" varchar(40) not null, "SupportRepId" int);
    create table "Employee" ("EmployeeId" int primary key, "ReportsTo" int references "Employee");
    alter table "Customer" add foreign key ("SupportRepId") references "Employee";
    create table "Invoice" ("InvoiceId" int primary key, "CustomerId" int not null references "Customer", "Total" numeric(10, 2) not null);
    create table "Order Details" ("OrderID" smallint not null, "ProductID" smallint not null, "Unit Price" real not null, "Picture" bytea, primary key ("OrderID", "ProductID"));
    create table customer_customer_demo (customer_id bpchar not null, customer_type_id bpchar not null, primary key (customer_id, customer_type_id));
    create table city (id integer not null primary key, name text not null, countrycode character(3) not null, population integer not null);
    create table country (code character(3) primary key, name text not null, capital integer references city, constraint country_continent_check check (name <> ''));
    create table countrylanguage (countrycode character(3) references country, language text, isofficial boolean, percentage real, primary key (countrycode, language));`,
}
