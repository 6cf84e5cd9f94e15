import { accepted, age, print, printJson, table } from "../output.ts";
import { readHidden } from "../read-hidden.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface SecretFlags extends SessionFlags {
  json?: boolean;
  service: string;
  environment: string;
}

/** The value comes from a hidden prompt or from standard input: an argument would stay in the shell's history. */
export async function setSecret(flags: SecretFlags, name: string): Promise<void> {
  const client = await openClient(flags);
  const value = await readHidden(`Value of ${name}`);
  const { service, environment } = flags;
  const answer = accepted(await client.setSecret({ body: { service, environment, name, value } }));
  if (flags.json) return printJson(answer);
  print(`${name} is set; instances get it with their next deployment`);
}

export async function listSecrets(flags: SecretFlags): Promise<void> {
  const client = await openClient(flags);
  const { secrets } = accepted(await client.listSecrets({}));
  if (flags.json) return printJson({ secrets });
  const rows = secrets.map(({ name, service, environment, updatedAt }) => [name, service, environment, age(updatedAt)]);
  print(table(["NAME", "SERVICE", "ENVIRONMENT", "AGE"], rows));
}

/** The key to which anybody with age encrypts: `age -r $(towline secret public-key) -a`. */
export async function showPublicKey(flags: SecretFlags): Promise<void> {
  const answer = accepted(await (await openClient(flags)).showPublicKey({}));
  if (flags.json) printJson(answer);
  else print(answer.recipient);
}

/** Encrypts here; the clear value leaves this machine never. */
export async function encryptSecret(flags: SecretFlags, name: string): Promise<void> {
  const { recipient } = accepted(await (await openClient(flags)).showPublicKey({}));
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const armored = armor.encode(await encrypter.encrypt(await readHidden(`Value of ${name}`)));
  if (flags.json) return printJson({ name, value: armored });
  print(
    [
      "secrets:",
      `  ${name}: |`,
      ...armored
        .trim()
        .split("\n")
        .map((line) => `    ${line}`),
    ].join("\n"),
  );
}

/** Values stay the same; only the key that they are encrypted with is another one. */
export async function rotateKey(flags: SecretFlags): Promise<void> {
  const client = await openClient(flags);
  const answer = accepted(await client.rotateKey({}));
  if (flags.json) return printJson(answer);
  print(`the key is ${answer.key} now, and ${answer.resealed} secrets are encrypted with it`);
}

export async function deleteSecret(flags: SecretFlags, name: string): Promise<void> {
  const client = await openClient(flags);
  const { service, environment } = flags;
  const answer = accepted(await client.deleteSecret({ query: { service, environment, name } }));
  if (flags.json) return printJson(answer);
  print(`${name} is deleted`);
}
