-- The keys that sign, the newest first used; the private halves are sealed by the vault.
create table attestation_keys (
  -- SHA-256 of the public key (DER), in hex.
  id text primary key,
  public_key text not null,
  sealed text not null,
  created_at timestamptz not null
);

-- Of each release: whether its bill of materials, provenance and signature were made, and why not.
create table attestations (
  release uuid primary key,
  service text not null,
  number int not null,
  -- Path in the registry.
  image text not null,
  digest text not null,
  commit text not null,
  state text not null check (state in ('waiting', 'made', 'failed')),
  -- Of a failure: why.
  reason text,
  tries int not null default 0,
  packages int,
  changed_at timestamptz not null
);
create index attestations_waiting on attestations (changed_at) where state = 'waiting';
