-- When the content on the disk was found to be missing or not what its digest says; pushed again, it is whole again.
alter table image_blobs add column damaged_at timestamptz;
create index image_blobs_damaged on image_blobs (digest) where damaged_at is not null;
