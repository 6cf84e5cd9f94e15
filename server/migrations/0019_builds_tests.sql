-- A test as reports name it, over all builds of a repository.
create table build_tests (
  id bigserial primary key,
  repository text not null,
  scope text not null,
  name text not null,
  -- SHA-256 of scope and name.
  digest text not null,
  unique (repository, digest)
);

-- What the agent read of the reports of one attempt.
create table build_test_reports (
  job uuid not null references build_jobs (id),
  attempt int not null,
  build uuid not null references builds (id),
  -- Nothing of it is missing.
  complete boolean not null default false,
  -- Why it may not be all, in words.
  faults jsonb not null default '[]',
  at timestamptz not null,
  primary key (job, attempt)
);
create index build_test_reports_by_build on build_test_reports (build);
create index build_test_reports_by_age on build_test_reports (at);

create table build_test_results (
  job uuid not null,
  attempt int not null,
  test bigint not null references build_tests (id),
  outcome text not null check (outcome in ('passed', 'failed', 'error', 'skipped')),
  flaky boolean not null,
  -- It was in quarantine when it was reported.
  quarantined boolean not null,
  retries int not null,
  ms int,
  file text,
  line int,
  message text,
  detail text,
  at timestamptz not null,
  primary key (job, attempt, test),
  foreign key (job, attempt) references build_test_reports (job, attempt) on delete cascade
);
create index build_test_results_by_test on build_test_results (test, at desc);

-- At most one open quarantine for each test.
create table build_test_quarantines (
  id uuid primary key,
  test bigint not null references build_tests (id),
  owner text not null,
  reason text not null,
  expires_at timestamptz not null,
  created_by text not null,
  created_at timestamptz not null,
  released_at timestamptz
);
create unique index build_test_quarantines_open on build_test_quarantines (test) where released_at is null;
