import type { CommandRow } from "./command-rows.ts";

export const backingRows: readonly CommandRow[] = [
  {
    usage: "backing list",
    summary: "list the backing services of all environments: how they run, and their last backup",
    example: "towline backing list",
    load: async () => (await import("./commands/backing.ts")).listBackings,
  },
  {
    usage: "backing backup <place>",
    summary: "dump a backing service into the store of the server, while it serves: `test/db`",
    example: "towline backing backup test/db",
    load: async () => (await import("./commands/backing.ts")).backUp,
  },
  {
    usage: "backing backups <place>",
    summary: "list the backups of a backing service and its restores, newest first",
    example: "towline backing backups test/db",
    load: async () => (await import("./commands/backing.ts")).listWorks,
  },
  {
    usage: "backing download <place> <id>",
    summary: "fetch a backup; `latest` is the newest",
    options: [["--to <file>", "where to (default: `<environment>-<name>.dump`)"]],
    example: "towline backing download test/db latest --to orders.dump",
    load: async () => (await import("./commands/backing.ts")).download,
  },
  {
    usage: "backing restore <place>",
    summary: "put a backup in place of what a backing service holds; its users rest meanwhile",
    options: [
      ["--from <id>", "the backup, which may be of another environment; `latest` is the newest of its own"],
      ["--skip-backup", "do not back up first, for one that does not run any more"],
    ],
    example: "towline backing restore test/db --from latest",
    load: async () => (await import("./commands/backing.ts")).restore,
  },
  {
    usage: "backing cancel <place>",
    summary: "end the backup of a backing service, or its restore before it has changed over",
    example: "towline backing cancel test/db",
    load: async () => (await import("./commands/backing.ts")).cancel,
  },
  {
    usage: "backing remove <place>",
    summary: "remove a backing service that its environment asks for no more, with all its data",
    options: [["--destroy-data", "say that its data is to be destroyed"]],
    example: "towline backing remove test/db --destroy-data",
    load: async () => (await import("./commands/backing.ts")).remove,
  },
];
