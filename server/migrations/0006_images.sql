create table image_repositories (
  name text collate "C" primary key,
  created_at timestamptz not null default now()
);

-- A row says: the content lies in the store of blobs, whole. Content first, then the row.
create table image_blobs (
  digest text primary key,
  size bigint not null,
  created_at timestamptz not null default now()
);

-- Who knows a blob's digest may still not read it: a repository shows only what was pushed or mounted into it.
create table image_repository_blobs (
  repository text collate "C" not null references image_repositories (name),
  digest text not null references image_blobs (digest),
  created_at timestamptz not null default now(),
  primary key (repository, digest)
);
create index image_repository_blobs_by_digest on image_repository_blobs (digest);

-- How far an upload is, is the size of its file: one truth, also after a crash.
create table image_uploads (
  id uuid primary key,
  repository text collate "C" not null references image_repositories (name),
  touched_at timestamptz not null
);
create index image_uploads_by_repository on image_uploads (repository);
create index image_uploads_by_age on image_uploads (touched_at);

create table image_manifests (
  repository text collate "C" not null references image_repositories (name),
  digest text not null,
  media_type text not null,
  artifact_type text,
  -- Digest of the manifest that this one is about; it need not exist.
  subject text,
  -- As json: it is handed on as it came, characters that jsonb does not take included.
  annotations json,
  -- The bytes as they came: their digest is the name.
  content bytea not null,
  pushed_at timestamptz not null,
  primary key (repository, digest)
);
create index image_manifests_by_digest on image_manifests (digest);
create index image_manifests_by_subject on image_manifests (repository, subject, digest) where subject is not null;

-- Configuration and layers. No blob goes while a manifest needs it.
create table image_manifest_blobs (
  repository text collate "C" not null,
  manifest text not null,
  digest text not null,
  primary key (repository, manifest, digest),
  foreign key (repository, manifest) references image_manifests (repository, digest) on delete cascade,
  foreign key (repository, digest) references image_repository_blobs (repository, digest)
);
create index image_manifest_blobs_by_digest on image_manifest_blobs (repository, digest);

-- Manifests that an index lists. No manifest goes while an index needs it.
create table image_manifest_children (
  repository text collate "C" not null,
  parent text not null,
  child text not null,
  primary key (repository, parent, child),
  foreign key (repository, parent) references image_manifests (repository, digest) on delete cascade,
  foreign key (repository, child) references image_manifests (repository, digest)
);
create index image_manifest_children_by_child on image_manifest_children (repository, child);

create table image_tags (
  repository text collate "C" not null,
  tag text collate "C" not null,
  digest text not null,
  changed_at timestamptz not null,
  primary key (repository, tag),
  foreign key (repository, digest) references image_manifests (repository, digest) on delete cascade
);
create index image_tags_by_digest on image_tags (repository, digest);

-- Releases that stand on a manifest; written from their events. What is pinned is not deleted.
create table image_pins (
  repository text collate "C" not null,
  digest text not null,
  holder text not null,
  primary key (repository, digest, holder),
  foreign key (repository, digest) references image_manifests (repository, digest)
);
