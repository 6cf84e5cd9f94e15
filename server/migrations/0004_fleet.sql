-- What the default branches say, as last read without a fault; `fault` tells why the newest commit was not taken.
create table services (
  name text primary key,
  repository text not null,
  owner text,
  manifest jsonb not null,
  commit text not null,
  updated_at timestamptz not null default now()
);
create index services_by_repository on services (repository);

create table environments (
  name text primary key,
  definition jsonb,
  fault jsonb,
  commit text not null,
  updated_at timestamptz not null default now()
);

-- `service` and `environment` are '*' where the value is for all; '@backing' owns the passwords of backing services.
create table secrets (
  service text not null,
  environment text not null,
  name text not null,
  sealed text not null,
  updated_at timestamptz not null default now(),
  primary key (service, environment, name)
);
