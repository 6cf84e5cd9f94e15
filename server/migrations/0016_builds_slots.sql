alter table build_jobs
  -- Of two jobs that are ready the one with the higher number goes first.
  add priority int not null default 0,
  -- Concurrency group that the job needs a slot of.
  add slot_group text;
drop index build_jobs_claimable;
create index build_jobs_claimable on build_jobs (md5(tags::text), priority desc, sequence, position)
  where state = 'runnable';

-- One row for each step of a concurrency group that is ready for its slot or holds one, until what holds it has really ended.
create table build_slots (
  build uuid not null references builds (id),
  step text not null,
  group_name text not null,
  slot_limit int not null,
  -- In the order in which the steps were made; else whoever can begin.
  ordered boolean not null,
  -- Claimed by an agent; else asked for by the server.
  is_job boolean not null,
  sequence bigint not null,
  position int not null,
  held boolean not null default false,
  primary key (build, step)
);
create index build_slots_waiting on build_slots (group_name, sequence, position) where not held;
create index build_slots_held on build_slots (group_name) where held;

alter table builds
  -- The trigger step that started it: build, repository, number, step.
  add parent jsonb,
  -- Builds by whose trigger steps it came to be, the first one first.
  add ancestors uuid[] not null default '{}';
alter table builds drop constraint builds_source_check;
alter table builds add constraint builds_source_check
  check (source in ('push', 'pull-request', 'api', 'schedule', 'webhook', 'trigger'));
