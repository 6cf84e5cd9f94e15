-- Registries that are read through `cache/<name>/…`, with the credentials for them.
create table image_upstreams (
  name text collate "C" primary key,
  url text not null,
  username text,
  sealed text,
  -- How long the image of a tag counts, in seconds; that of a digest always does.
  tag_seconds int not null,
  created_at timestamptz not null
);
