-- Results of steps with `inputs` that passed, for later builds to use again: the newest of each key and branch.
create table build_results (
  repository text not null,
  -- Hash of all that decides the result.
  key text not null,
  branch text not null,
  build uuid not null references builds (id),
  number int not null,
  job uuid not null references build_jobs (id),
  attempt int not null,
  -- How many files the attempt kept: with one of them gone the result is not whole.
  artifacts int not null,
  -- The image as it was named, and what that stood for; null where no container of the agent ran.
  image text,
  resolved text,
  at timestamptz not null,
  primary key (repository, key, branch)
);
create index build_results_by_age on build_results (at);

-- What names of images stood for when a job ran last, on whichever agent; `` is the image of steps that name none.
create table build_images (
  name text primary key,
  resolved text not null,
  seen_at timestamptz not null
);

-- Newest attempt that changed its build by more than artifacts, log and tests: its result cannot be used again.
alter table build_jobs add column wrote_attempt int not null default 0;

-- The attempt that really ran, for one that used its result.
alter table build_logs add column of_job uuid, add column of_attempt int;
create index build_logs_of on build_logs (of_job, of_attempt) where of_job is not null;
alter table build_test_reports add column of_job uuid, add column of_attempt int;
