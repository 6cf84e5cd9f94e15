create table contract_pacticipants (
  id bigint generated always as identity primary key,
  name text collate "C" not null unique,
  display_name text,
  repository_url text,
  main_branch text,
  labels text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- The id is the order: the newest version is the one that was heard of last.
create table contract_versions (
  id bigint generated always as identity primary key,
  pacticipant bigint not null references contract_pacticipants (id) on delete cascade,
  number text collate "C" not null,
  build_url text,
  created_at timestamptz not null default now(),
  unique (pacticipant, number)
);
create index contract_versions_in_order on contract_versions (pacticipant, id);

create table contract_branches (
  pacticipant bigint not null references contract_pacticipants (id) on delete cascade,
  branch text collate "C" not null,
  version bigint not null references contract_versions (id) on delete cascade,
  primary key (pacticipant, branch, version)
);
create index contract_branches_by_version on contract_branches (version);

create table contract_tags (
  pacticipant bigint not null references contract_pacticipants (id) on delete cascade,
  tag text collate "C" not null,
  version bigint not null references contract_versions (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (pacticipant, tag, version)
);
create index contract_tags_by_version on contract_tags (version);

-- Who ever had a pact with whom.
create table contract_integrations (
  consumer bigint not null references contract_pacticipants (id) on delete cascade,
  provider bigint not null references contract_pacticipants (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (consumer, provider)
);
create index contract_integrations_by_provider on contract_integrations (provider);

-- What a pact says, once for all versions that say the same.
create table contract_contents (
  id bigint generated always as identity primary key,
  consumer bigint not null references contract_pacticipants (id) on delete cascade,
  provider bigint not null references contract_pacticipants (id) on delete cascade,
  -- SHA-256 of the content in its canonical form, hexadecimal.
  sha text not null,
  -- As json in text: it is handed on as it came, characters that PostgreSQL's json does not take included.
  content text not null,
  created_at timestamptz not null default now(),
  unique (consumer, provider, sha)
);
create index contract_contents_by_provider on contract_contents (provider);

create table contract_publications (
  id bigint generated always as identity primary key,
  version bigint not null references contract_versions (id) on delete cascade,
  provider bigint not null references contract_pacticipants (id) on delete cascade,
  content bigint not null references contract_contents (id) on delete cascade,
  created_at timestamptz not null default now(),
  unique (version, provider)
);
create index contract_publications_by_content on contract_publications (content);
create index contract_publications_by_provider on contract_publications (provider, version);

create table contract_verifications (
  id bigint generated always as identity primary key,
  content bigint not null references contract_contents (id) on delete cascade,
  -- Counts the results of a content from 1.
  number integer not null,
  version bigint not null references contract_versions (id) on delete cascade,
  success boolean not null,
  wip boolean not null,
  -- The result as the client told it, as json in text.
  result text not null,
  created_at timestamptz not null default now(),
  unique (content, number)
);
create index contract_verifications_by_version on contract_verifications (content, version);
create index contract_verifications_of_version on contract_verifications (version);

create table contract_environments (
  uuid uuid primary key,
  name text collate "C" not null unique,
  display_name text,
  production boolean not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- That a version serves: deployed (it replaces what was there) or released (it stands beside others until its support ends).
create table contract_placements (
  uuid uuid primary key,
  kind text not null check (kind in ('deployed', 'released')),
  pacticipant bigint not null references contract_pacticipants (id) on delete cascade,
  version bigint not null references contract_versions (id) on delete cascade,
  environment uuid not null references contract_environments (uuid) on delete cascade,
  -- Several copies of one application in one environment; none named is a slot of its own.
  instance text not null default '',
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create unique index contract_placements_one_deployed on contract_placements (pacticipant, environment, instance)
  where kind = 'deployed' and ended_at is null;
create unique index contract_placements_one_released on contract_placements (version, environment)
  where kind = 'released' and ended_at is null;
create index contract_placements_now on contract_placements (environment, pacticipant, version) where ended_at is null;
create index contract_placements_by_version on contract_placements (version);
