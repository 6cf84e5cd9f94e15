-- A user's password, if he has one: its hash by scrypt, with all that it takes to do it again.
create table passwords (
  user_name text primary key references users (name),
  hash bytea not null,
  salt bytea not null,
  -- scrypt's N, r and p.
  cost int not null,
  block_size int not null,
  parallelization int not null,
  set_at timestamptz not null
);

-- Made by signing in a browser; until now only its name told.
alter table tokens add column session boolean not null default false;
update tokens set session = true where kind = 'user' and name = 'browser session';
