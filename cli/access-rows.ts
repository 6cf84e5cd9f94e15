import type { CommandRow } from "./command-rows.ts";

/** People, and the tokens by which they and their programs come in. */
export const accessRows: readonly CommandRow[] = [
  {
    usage: "user list",
    summary: "list the users and their roles; admins only",
    example: "towline user list",
    load: async () => (await import("./commands/access.ts")).listUsers,
  },
  {
    usage: "user create <name> <role>",
    summary: "make a user who is viewer, developer, analyst, lead or admin; admins only",
    example: "towline user create rita lead",
    load: async () => (await import("./commands/access.ts")).createUser,
  },
  {
    usage: "user role <name> <role>",
    summary: "give a user another role; admins only",
    example: "towline user role rita admin",
    load: async () => (await import("./commands/access.ts")).changeRole,
  },
  {
    usage: "user password <name>",
    summary:
      "set your password for the web interface, or as admin that of another user; asked for, or read from standard input",
    example: "towline user password rita",
    load: async () => (await import("./commands/access.ts")).setPassword,
  },
  {
    usage: "token list",
    summary: "list your tokens, or as admin those of another user; their secrets are kept nowhere",
    options: [["--user <name>", "of this user"]],
    example: "towline token list --user rita",
    load: async () => (await import("./commands/access.ts")).listTokens,
  },
  {
    usage: "token create <name>",
    summary: "make a token for yourself, or as admin for another user; it is shown this one time",
    options: [
      ["--user <name>", "for this user"],
      ["--days <number>", "it ends after so many days (default: never)"],
    ],
    example: "towline token create laptop --user rita --days 365",
    load: async () => (await import("./commands/access.ts")).createToken,
  },
  {
    usage: "token revoke <id>",
    summary: "end a token at once; of others as admin",
    example: "towline token revoke 0f8c2a9e-5b1d-4c57-9a52-3f0c6a1b7d42",
    load: async () => (await import("./commands/access.ts")).revokeToken,
  },
];
