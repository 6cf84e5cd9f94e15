-- What starts a build beside a push, and what it was given.
alter table builds
  -- Set for the build of a tag; its branch is then the name of the tag too, as with Buildkite.
  add tag text,
  -- Open pull request of the branch when the build was made.
  add pull_request int,
  -- Variables given by whoever started it.
  add env jsonb not null default '{}',
  -- Number of the newer build of the branch that took its place.
  add superseded_by int;
alter table builds drop constraint builds_source_check;
alter table builds add constraint builds_source_check
  check (source in ('push', 'pull-request', 'api', 'schedule', 'webhook'));

create table build_schedules (
  repository text not null,
  name text not null,
  cron text not null,
  -- IANA name of a time zone.
  zone text not null,
  branch text not null,
  env jsonb not null default '{}',
  creator text not null,
  created_at timestamptz not null,
  next_at timestamptz not null,
  -- What became of the last run: the number of its build, or why there is none.
  last_at timestamptz,
  last_build int,
  last_error text,
  primary key (repository, name)
);
create index build_schedules_due on build_schedules (next_at);

create table build_webhooks (
  repository text primary key,
  -- The secret, encrypted under the key of the installation.
  sealed text not null,
  creator text not null,
  created_at timestamptz not null
);

-- Calls that were taken, for as long as their time lets them be sent again.
create table build_webhook_calls (
  repository text not null references build_webhooks (repository) on delete cascade,
  signature text not null,
  at timestamptz not null,
  primary key (repository, signature)
);

-- What serves where, as deployments tell it: `if_changed` compares with that.
create table build_deployed (
  repository text not null,
  environment text not null,
  commit text not null,
  primary key (repository, environment)
);
