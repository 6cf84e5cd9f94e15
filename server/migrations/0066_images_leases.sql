-- When a push last brought it, or was told that it is there: until a day after, nothing collects it.
alter table image_repository_blobs rename column created_at to leased_at;
alter table image_manifests add column leased_at timestamptz;
update image_manifests set leased_at = pushed_at;
alter table image_manifests alter column leased_at set not null;
