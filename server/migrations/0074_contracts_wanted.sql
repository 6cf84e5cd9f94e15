-- That a version of a provider was asked to verify a content, and when last: it is asked once, and again when that came to nothing.
create table contract_wanted (
  content bigint not null references contract_contents (id) on delete cascade,
  version bigint not null references contract_versions (id) on delete cascade,
  at timestamptz not null,
  primary key (content, version)
);
create index contract_wanted_by_version on contract_wanted (version);
