/** What is known of common images, so that `image: postgres:17` is enough. */

/** How the data of a backing service leaves and comes back, by programs of its image. */
export interface DumpTools {
  /** Only a backup of the same format can be restored. */
  format: string;
  /** Writes everything as its output. Arguments. */
  backup: readonly string[];
  /** Reads from its input what `backup` wrote, into an instance that is empty and runs. */
  restore: readonly string[];
  /** With what every dump begins. */
  magic?: string;
  /** What a dump does not have, after "without". */
  lacks?: string;
}

export interface BackingDefaults {
  port: number;
  /** Mount path of the volume. */
  path: string;
  environment: Record<string, string>;
  /** Set only when a volume is kept. */
  volumeEnvironment: Record<string, string>;
  url: string;
  dump?: DumpTools;
}

const shell = (line: string) => ["sh", "-c", line];

const pgLogin = 'PGPASSWORD="$POSTGRES_PASSWORD"';
const pgDatabase = '-U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"';

/**
 * The data directory of Postgres is named outright: images from 18 on refuse a volume at the place where images up to 17
 * want it.
 */
const postgres: BackingDefaults = {
  port: 5432,
  path: "/var/lib/towline",
  environment: { POSTGRES_PASSWORD: "${password}" },
  volumeEnvironment: { PGDATA: "/var/lib/towline/data" },
  url: "postgres://postgres:${password}@${host}:${port}/postgres",
  dump: {
    format: "postgres",
    backup: shell(`${pgLogin} exec pg_dump --format=custom ${pgDatabase}`),
    restore: shell(`${pgLogin} exec pg_restore --no-owner --exit-on-error --single-transaction ${pgDatabase}`),
    magic: "PGDMP",
  },
};

/**
 * A server that is told to save nothing leaves the file that it is to read at its next start alone. One with an append-only file
 * would read that instead, and come up empty.
 */
const redis: BackingDefaults = {
  port: 6379,
  path: "/data",
  environment: {},
  volumeEnvironment: {},
  url: "redis://${host}:${port}",
  dump: {
    format: "redis",
    backup: shell("exec redis-cli --rdb -"),
    restore: shell(`set -e; of() { redis-cli config get "$1" | tail -n 1; }
[ "$(of appendonly)" = no ] || { echo 'it keeps an append-only file, which wins over what is restored: set appendonly to no' >&2; exit 1; }
cd "$(of dir)"; cat > restored.rdb; redis-check-rdb restored.rdb >&2; redis-cli config set save '' >&2; mv restored.rdb "$(of dbfilename)"`),
    magic: "REDIS",
  },
};

/**
 * The name of the node is in its data, and must not be the container's. Its tools dump what is defined (users, virtual hosts, exchanges,
 * queues, bindings, policies); for messages it would have to be stopped. The password in a dump may be another environment's.
 * Tried by hand with RabbitMQ 3.10 of Debian: persistent messages of a durable queue were there when its container had been replaced, also
 * after a kill; without the name of the node the queue itself was gone. No test of the suite runs it: its image takes 220 MB, and each
 * start 13 s.
 */
const rabbitmq: BackingDefaults = {
  port: 5672,
  path: "/var/lib/rabbitmq",
  environment: { RABBITMQ_DEFAULT_USER: "towline", RABBITMQ_DEFAULT_PASS: "${password}" },
  volumeEnvironment: { RABBITMQ_NODENAME: "rabbit@localhost" },
  url: "amqp://towline:${password}@${host}:${port}",
  dump: {
    format: "rabbitmq",
    backup: shell("exec rabbitmqctl --silent export_definitions -"),
    restore: shell(
      'set -e; rabbitmqctl --silent import_definitions >&2; rabbitmqctl --silent change_password "$RABBITMQ_DEFAULT_USER" "$RABBITMQ_DEFAULT_PASS" >&2',
    ),
    magic: "{",
    lacks: "the messages in its queues",
  },
};

const images: readonly (readonly [name: RegExp, defaults: BackingDefaults])[] = [
  [/(^|-)(postgres|postgresql)$/, postgres],
  [/(^|-)redis$/, redis],
  [/(^|-)rabbitmq$/, rabbitmq],
];

/** The defaults for an image, by the last word of its name: `postgres:17`, `registry/base-postgres@sha256:…`. */
export function backingDefaults(image: string): BackingDefaults | undefined {
  const name = imageName(image);
  return images.find(([pattern]) => pattern.test(name))?.[1];
}

/** The last word of an image's name, without tag and digest. */
export function imageName(image: string): string {
  return image.split("@")[0]?.split("/").at(-1)?.split(":")[0] ?? "";
}

/** How a backing service is backed up: as its environment says, or as its image is known for. */
export function dumpTools({ image, backup, restore }: Dumped): DumpTools | undefined {
  if (backup && restore) return { format: `commands of ${imageName(image)}`, backup, restore };
  return backingDefaults(image)?.dump;
}

interface Dumped {
  image: string;
  backup?: readonly string[] | undefined;
  restore?: readonly string[] | undefined;
}
