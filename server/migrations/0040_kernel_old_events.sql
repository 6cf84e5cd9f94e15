-- The audit log is kept for a time that the installation says, a month at least: what is younger cannot be removed.
drop trigger events_stay on events;
create trigger events_stay before update on events
  for each statement execute function refuse_change_of_events();
create function refuse_loss_of_young_event() returns trigger language plpgsql as $$
begin
  if old.at > now() - interval '30 days' then
    raise exception 'events of the last 30 days stay';
  end if;
  return old;
end $$;
create trigger young_events_stay before delete on events
  for each row execute function refuse_loss_of_young_event();
