-- Several services in one repository, each in a folder of its own; an empty folder is the whole repository.
alter table services
  add folder text not null default '',
  -- Since when its repository describes it no more: then another may take the name.
  add gone_at timestamptz;

alter table builds
  -- Of the service that the build is of; builds of one repository share their numbers.
  add folder text not null default '';
create index builds_by_folder on builds (repository, branch, folder, sequence desc) where folder <> '';

-- What serves where is kept for each service: a repository may have many.
alter table build_deployed add service text not null default '';
update build_deployed d set service = s.name from services s where s.repository = d.repository;
alter table build_deployed drop constraint build_deployed_pkey;
alter table build_deployed add primary key (repository, service, environment);

-- What is old is found by its age.
create index builds_ended on builds (finished_at) where state = 'finished';
create index events_by_age on events (at);
