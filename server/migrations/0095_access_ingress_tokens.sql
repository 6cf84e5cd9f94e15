alter table tokens drop constraint tokens_kind_check;
alter table tokens add constraint tokens_kind_check check (kind in ('user', 'agent', 'job', 'ingress'));
