-- Digests of the manifests that were attached of the release: they go when it is attested anew.
alter table attestations add column attached text[] not null default '{}';
