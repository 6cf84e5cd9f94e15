"""Orders in Postgres, over a few connections that are kept open."""

import contextlib
import queue
import time

import psycopg2
import psycopg2.extras

CONNECTIONS = 8
WAIT_SECONDS = 5
START_SECONDS = 30

# Any number, the same in all instances: they start side by side, and only one of them may create the table.
SCHEMA_LOCK = 7_205_001

SCHEMA = """
create table if not exists orders (
  id bigint generated always as identity primary key,
  sku text not null,
  quantity integer not null check (quantity > 0),
  price integer not null,
  placed_at timestamptz not null default now()
)
"""

COLUMNS = "id, sku, quantity, price, to_char(placed_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as placed_at"


class StoreError(Exception):
    """The database does not answer."""


class Store:
    def __init__(self, url):
        self._url = url
        self._free = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put(None)

    def prepare(self):
        """Makes the table, once the database is there."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self._cursor() as cursor:
                    cursor.execute("select pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
                    cursor.execute(SCHEMA)
                return
            except StoreError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def ping(self):
        with self._cursor() as cursor:
            cursor.execute("select 1")

    def add(self, sku, quantity, price):
        with self._cursor() as cursor:
            cursor.execute(
                f"insert into orders (sku, quantity, price) values (%s, %s, %s) returning {COLUMNS}",
                (sku, quantity, price),
            )
            return dict(cursor.fetchone())

    def find(self, order_id):
        with self._cursor() as cursor:
            cursor.execute(f"select {COLUMNS} from orders where id = %s", (order_id,))
            row = cursor.fetchone()
            return dict(row) if row else None

    def latest(self, count):
        with self._cursor() as cursor:
            cursor.execute(f"select {COLUMNS} from orders order by id desc limit %s", (count,))
            return [dict(row) for row in cursor.fetchall()]

    @contextlib.contextmanager
    def _cursor(self):
        """A cursor in a transaction of its own, committed at the end."""
        connection = self._take()
        try:
            connection = connection or psycopg2.connect(self._url, connect_timeout=3)
            with connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                yield cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if connection:
                connection.close()
            raise StoreError("The database does not answer.") from error
        finally:
            self._free.put(connection if connection and not connection.closed else None)

    def _take(self):
        try:
            return self._free.get(timeout=WAIT_SECONDS)
        except queue.Empty as error:
            raise StoreError("The database is too busy.") from error
