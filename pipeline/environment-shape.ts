/** The shape of `environments/*.yml` as it is written; `environment-file.ts` fills in what is left out. */
import { z } from "zod";
import { environmentName, serviceName, variableName } from "#api/names.ts";
import { freezeShape, role, secretsShape, servicesShape, signOffShape } from "./environment-rules.ts";
import { byteSize, duration, textValue, wholeNumber } from "./text/values.ts";

const target = z.enum(["docker", "swarm", "aws"]).transform((name, context) => {
  if (name !== "aws") return name;
  context.addIssue({
    code: "custom",
    message: `the target \`${name}\` cannot be served yet`,
    params: { fault: "environment.not-supported", fix: "use `docker` or `swarm`" },
  });
  return z.NEVER;
});

const domain = z
  .string()
  .max(200)
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "a DNS name in lower case, such as shop.example.com",
  );

/** A reference as `docker pull` takes it. */
export const imageReference = z
  .string()
  .max(300)
  .regex(
    /^[a-z0-9][a-z0-9._/:-]*[a-z0-9](:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    "an image reference, such as postgres:17",
  );

const mountPath = z
  .string()
  .max(200)
  .regex(/^\/[A-Za-z0-9._/-]+$/, "an absolute path in the container");

const volume = z.union([
  byteSize.transform((size) => ({ size, path: undefined })),
  z.strictObject({ path: mountPath.optional(), size: byteSize.optional() }),
]);

/** A line for the image's shell, or arguments. */
const program = z.union([
  z
    .string()
    .min(1)
    .max(1000)
    .transform((line) => ["sh", "-c", line]),
  z.array(z.string().min(1).max(1000)).min(1).max(50),
]);

export const backingShape = z.strictObject({
  image: imageReference,
  port: wholeNumber.pipe(z.int().min(1, "1 to 65535").max(65_535, "1 to 65535")).optional(),
  volume: volume.optional(),
  environment: z.record(variableName, textValue).optional(),
  url: z.string().min(1).max(500).optional(),
  backup: program.optional(),
  restore: program.optional(),
  backups: wholeNumber.pipe(z.int().min(1, "keep at least 1").max(100, "keep at most 100")).optional(),
});

/** What may be demanded of a release's image: proven by signatures of this installation. */
export const demands = ["signature", "sbom", "provenance"] as const;

export const environmentShape = z.strictObject({
  target,
  domain: domain.optional(),
  after: environmentName.optional(),
  watch: duration.optional(),
  variables: z.record(variableName, textValue).optional(),
  backing: z.record(serviceName, backingShape).optional(),
  promotion: z.enum(["automatic", "manual"]).optional(),
  contracts: z.enum(["required", "advisory"]).optional(),
  require: z.array(z.enum(demands)).max(10).optional(),
  exec: z.array(role).max(10).optional(),
  "sign-offs": z.array(signOffShape).max(20).optional(),
  freeze: z.array(freezeShape).max(50).optional(),
  services: servicesShape.optional(),
  secrets: secretsShape.optional(),
  borrow: environmentName.optional(),
  keep: duration.pipe(z.int().min(60_000, "at least 1m")).optional(),
  most: wholeNumber.pipe(z.int().min(1, "1 to 50").max(50, "1 to 50")).optional(),
});

export type WrittenEnvironment = z.output<typeof environmentShape>;
export type WrittenBacking = z.output<typeof backingShape>;
