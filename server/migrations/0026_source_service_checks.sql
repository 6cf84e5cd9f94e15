alter table checks
  -- Nothing but builds of services kept it from passing: then the rows of `service_checks` decide.
  add of_services boolean not null default false;

-- How the build of each service of a commit stands, where the repository has several.
create table service_checks (
  repository text not null,
  commit text not null,
  folder text not null,
  service text not null,
  -- Of the service's own build; where there is none, of the repository's.
  number int not null,
  build uuid not null,
  -- Null while it goes on.
  outcome text check (outcome in ('passed', 'failed', 'canceled')),
  reason text,
  at timestamptz not null default now(),
  primary key (repository, commit, folder)
);
