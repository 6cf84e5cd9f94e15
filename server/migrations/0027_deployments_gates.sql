-- A person's word on a release in an environment, bound to the digest. A withdrawn one stays, with who and when.
create table sign_offs (
  id uuid primary key,
  service text not null,
  environment text not null,
  release_id uuid not null,
  release int not null,
  digest text not null,
  -- Name of the rule in the environment file.
  sign_off text not null,
  user_name text not null,
  note text,
  at timestamptz not null,
  withdrawn_at timestamptz
);
create unique index sign_offs_once on sign_offs (release_id, environment, sign_off, user_name) where withdrawn_at is null;

-- People's locks; '*' stands for all services, or all environments. One that has run out is as if it were not there.
create table place_locks (
  service text not null,
  environment text not null,
  -- Rises with every lock: who unlocks names the lock that was meant.
  fence bigserial not null unique,
  owner text not null,
  reason text not null,
  at timestamptz not null,
  expires_at timestamptz not null,
  primary key (service, environment)
);

-- Who brought a commit, by a push: whoever did gives no sign-off for it.
create table pushers (
  repository text not null,
  revision text not null,
  user_name text not null,
  primary key (repository, revision, user_name)
);

-- Freezes that somebody overrode for a deployment: [{ freeze, reason, by, at }].
alter table deployments add column overrides jsonb not null default '[]';
