-- One row for each release, never changed.
create table releases (
  id uuid primary key,
  service text not null,
  number int not null,
  repository text not null,
  commit text not null,
  digest text not null,
  -- Path in the registry, without host, tag and digest.
  image text not null,
  build uuid not null,
  manifest jsonb not null,
  evidence jsonb not null,
  -- Those since the release before, newest first.
  commits jsonb not null,
  previous int,
  created_at timestamptz not null default now(),
  unique (service, number),
  unique (build, service)
);

-- A published image that could not become a release, so that whoever waits for the release learns why.
create table releases_refused (
  build uuid not null,
  service text not null,
  reason text not null,
  at timestamptz not null default now(),
  primary key (build, service)
);
