-- Run once, by the image of Postgres when it makes its database: the owner of Pie's, who is no superuser. Whoever finds
-- a hole that runs SQL as the owner cannot read files, run programs, or switch off what holds for everybody.
\getenv owner_password OWNER_PASSWORD
create role pie login createrole password :'owner_password';
create database pie owner pie;
