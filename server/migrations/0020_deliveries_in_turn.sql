-- The oldest due delivery is found from its end of this index; before, every due one was read and sorted each time.
create index deliveries_oldest on deliveries (event_id);
drop index deliveries_due;
