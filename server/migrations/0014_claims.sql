-- What agents may claim is found by index, however many jobs wait for other agents.
-- `sequence` is the build's: agents take the jobs of older builds first.
alter table build_jobs add column sequence bigint;
update build_jobs j set sequence = b.sequence from builds b where b.id = j.build;
alter table build_jobs alter column sequence set not null;

-- By the hash, because tags may be longer than an index allows.
create index build_jobs_claimable on build_jobs (md5(tags::text), sequence, position) where state = 'runnable';
drop index build_jobs_runnable;
create index build_jobs_by_token on build_jobs (token_hash) where token_hash is not null;
create index builds_preparing on builds (repository, branch, sequence) where state = 'preparing';
