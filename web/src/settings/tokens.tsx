import { Alert, Code, Group, NativeSelect, Stack, Table, Text, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { useActing } from "../parts/acting.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { Copy } from "../parts/copy.tsx";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { Rows } from "../parts/rows.tsx";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";

type Token = Output<"listTokens">["tokens"][number];

/** What one's programs and browsers come in with; as admin also another's. */
export function Tokens({ user }: { user?: string }) {
  const tokens = useQuery(read("listTokens", { query: user ? { user } : {} }));
  if (tokens.isPending) return <Loading what="the tokens" />;
  if (tokens.error) return <Failed what="The tokens" error={tokens.error} again={() => void tokens.refetch()} />;
  return (
    <Stack gap="lg">
      <NewToken user={user} />
      {tokens.data.tokens.length === 0 ? (
        <Empty title="No token yet">A token lets a program, or a browser, act as {user ?? "you"}.</Empty>
      ) : (
        <TokenTable rows={tokens.data.tokens} />
      )}
    </Stack>
  );
}

const lives = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
  { value: "", label: "until revoked" },
];

function NewToken({ user }: { user: string | undefined }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<Output<"createToken">>();
  const acting = useActing();
  const mayNot = name.trim() === "" ? "Say what it is for first." : undefined;
  const make = async () => {
    const body = { name: name.trim(), user, ...(days ? { expiresInDays: Number(days) } : {}) };
    setMade(await call("createToken", { body }));
    setName("");
  };
  const press = () => acting.mutate({ what: "make", run: make });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mayNot === undefined) press();
  };
  return (
    <Stack gap="sm">
      <Group component="form" align="flex-end" gap="sm" onSubmit={submit}>
        <TextInput
          label="New token"
          placeholder="what it is for"
          maxLength={80}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <NativeSelect
          label="Lives"
          data={lives}
          value={days}
          onChange={({ currentTarget }) => setDays(currentTarget.value)}
        />
        <GuardedButton mayNot={mayNot} loading={acting.isPending} onPress={press}>
          Make token
        </GuardedButton>
      </Group>
      {made && <Made token={made} forget={() => setMade(undefined)} />}
    </Stack>
  );
}

function Made({ token: { name, secret, user }, forget }: { token: Output<"createToken">; forget: () => void }) {
  return (
    <Alert
      role="status"
      color="teal"
      icon={<IconKey aria-hidden />}
      title={`The token ${name} of ${user}, shown this one time`}
      withCloseButton
      closeButtonLabel="It is kept elsewhere now"
      onClose={forget}
    >
      <Code style={{ overflowWrap: "anywhere" }}>
        <Copy value={secret} what="token" />
      </Code>
      <Text size="sm" mt={6}>
        Press it to copy it. Only its hash is kept: nobody can show it again.
      </Text>
    </Alert>
  );
}

function TokenTable({ rows }: { rows: Token[] }) {
  return (
    <Rows name="Tokens" columns={["Name", "Made", "Used", "Ends", ""]} minWidth={560} verticalSpacing="sm">
      {rows.map((token) => (
        <TokenRow key={token.id} token={token} />
      ))}
    </Rows>
  );
}

function TokenRow({ token: { id, name, createdAt, lastUsedAt, expiresAt } }: { token: Token }) {
  const acting = useActing();
  return (
    <Table.Tr>
      <Table.Th scope="row">{name}</Table.Th>
      <Table.Td>
        <TimeAgo at={createdAt} />
      </Table.Td>
      <Table.Td>{lastUsedAt ? <TimeAgo at={lastUsedAt} /> : "never"}</Table.Td>
      <Table.Td>
        {expiresAt ? new Date(expiresAt).toLocaleDateString(undefined, { dateStyle: "medium" }) : "never"}
      </Table.Td>
      <Table.Td ta="end">
        <ConfirmButton
          size="compact-sm"
          variant="default"
          mayNot={undefined}
          aria-label={`Revoke ${name}…`}
          loading={acting.isPending}
          warning={`Whatever comes in with ${name} is refused from then on.`}
          word={`Revoke ${name}`}
          onPress={() => acting.mutate({ what: "revoke", run: () => call("revokeToken", { params: { id } }) })}
        >
          Revoke…
        </ConfirmButton>
      </Table.Td>
    </Table.Tr>
  );
}
