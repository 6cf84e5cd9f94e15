-- Share of the new requests that a slot gets in proportion to the others: a release may have just a part of the traffic.
alter table slots add column weight int not null default 100 check (weight between 1 and 256);
