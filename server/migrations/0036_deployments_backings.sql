-- Null while the data is on the volume that the backing service was made with; a restore puts it onto another one.
alter table backings add column volume text;
-- Its data is being destroyed: whoever finds it goes on with that.
alter table backings add column removing boolean not null default false;

-- Backups of backing services, and restores. A backup that succeeded is kept until newer ones take its place.
create table backing_works (
  id uuid primary key,
  kind text not null check (kind in ('backup', 'restore')),
  environment text not null,
  name text not null,
  state text not null check (state in ('running', 'succeeded', 'failed', 'canceled')),
  phase text not null,
  -- How it ends once it has put back what it changed.
  ending text check (ending in ('failed', 'canceled')),
  -- What it waits for, or why it ended so.
  detail text,
  actor text not null,
  -- Of a backup that a restore makes first: that restore.
  of_restore uuid,
  image text not null,
  format text not null,
  digest text,
  size bigint not null default 0,
  -- Of a restore: the backup, the one made before, the volume until then, and the services that are held meanwhile.
  source uuid,
  safety uuid,
  former_volume text,
  held jsonb,
  cancel_by text,
  started_at timestamptz not null,
  finished_at timestamptz,
  check ((state = 'running') = (finished_at is null)),
  check ((kind = 'restore') = (source is not null))
);
-- One at a time for each backing service.
create unique index backing_works_open on backing_works (environment, name) where state = 'running' and of_restore is null;
create index backing_works_of on backing_works (environment, name, started_at desc);
