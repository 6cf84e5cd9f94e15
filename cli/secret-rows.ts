import type { CommandRow } from "./command-rows.ts";

const scope = [
  ["--service <name>", "for this service only", "*"],
  ["--environment <name>", "for this environment only, or `builds` for build jobs", "*"],
] as const;

/** Secrets, and who read or changed them. */
export const secretRows: readonly CommandRow[] = [
  {
    usage: "secret set <name>",
    summary: "set a secret; the value comes from a hidden prompt or standard input",
    options: scope,
    example: "towline secret set PAYMENT_KEY --service orders --environment production < key.txt",
    load: async () => (await import("./commands/secret.ts")).setSecret,
  },
  {
    usage: "secret list",
    summary: "list the names of the secrets",
    example: "towline secret list",
    load: async () => (await import("./commands/secret.ts")).listSecrets,
  },
  {
    usage: "secret delete <name>",
    summary: "delete a secret",
    options: scope,
    example: "towline secret delete PAYMENT_KEY --service orders",
    load: async () => (await import("./commands/secret.ts")).deleteSecret,
  },
  {
    usage: "secret encrypt <name>",
    summary:
      "encrypt a value for an environment file, on this machine; the value comes from a hidden prompt or standard input",
    example: "towline secret encrypt PAYMENT_KEY < key.txt",
    load: async () => (await import("./commands/secret.ts")).encryptSecret,
  },
  {
    usage: "secret public-key",
    summary: "print the age key to which secrets in Git are encrypted",
    example: "towline secret public-key",
    load: async () => (await import("./commands/secret.ts")).showPublicKey,
  },
  {
    usage: "secret rotate-key",
    summary: "make a new key and encrypt all secrets with it; admins only",
    example: "towline secret rotate-key",
    load: async () => (await import("./commands/secret.ts")).rotateKey,
  },
  {
    usage: "audit",
    summary: "who did what, newest first; admins only",
    options: [
      ["--kind <kind>", "what it is about, such as deployments or 'approvals and locks'"],
      ["--name <beginning>", "of the event, such as fleet.secret"],
      ["--actor <user>", "only what this user did"],
      ["--limit <number>", "most entries", "50"],
    ],
    example: "towline audit --name fleet.secret",
    load: async () => (await import("./commands/audit.ts")).showAudit,
  },
];
