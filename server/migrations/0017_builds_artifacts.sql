-- Words of jobs on the page of their build; one for each context.
create table build_annotations (
  build uuid not null references builds (id),
  context text not null,
  style text not null,
  priority int not null,
  -- Markdown.
  body text not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (build, context)
);

-- Files that an attempt has kept. The content is a blob under its digest; several artifacts may share one.
create table build_artifacts (
  id uuid primary key,
  build uuid not null references builds (id),
  job uuid not null references build_jobs (id),
  attempt int not null,
  path text not null,
  size bigint not null,
  sha1 text not null,
  -- `sha256:` and hex, as the blobs have it.
  digest text not null,
  content_type text not null,
  -- False until the content is there: nobody else sees it before.
  complete boolean not null default false,
  created_at timestamptz not null
);
create index build_artifacts_by_build on build_artifacts (build);
create index build_artifacts_by_job on build_artifacts (job);
create index build_artifacts_by_digest on build_artifacts (digest);
