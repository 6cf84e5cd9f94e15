-- What the jobs of a build tell each other, and what it was created with.
create table build_meta_data (
  build uuid not null references builds (id),
  key text not null,
  value text not null,
  changed_at timestamptz not null,
  primary key (build, key)
);
