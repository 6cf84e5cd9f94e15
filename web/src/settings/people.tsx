import { Button, Group, List, Modal, NativeSelect, Stack, Table, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Role } from "#api/endpoint.ts";
import { call, type Output } from "../api/call.ts";
import { read } from "../api/read.ts";
import { useActing } from "../parts/acting.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { Rows } from "../parts/rows.tsx";
import { Section } from "../parts/section.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { everyRole, powers } from "../session/roles.ts";
import { Password } from "./password.tsx";
import { Tokens } from "./tokens.tsx";

type User = Output<"listUsers">["users"][number];

/** Everybody, with the role that says what they may do. */
export function People() {
  const users = useQuery(read("listUsers", {}));
  return (
    <Stack gap="xl">
      {users.isPending ? (
        <Loading what="the people" />
      ) : users.error ? (
        <Failed what="The people" error={users.error} again={() => void users.refetch()} />
      ) : (
        <Everybody users={users.data.users} />
      )}
      <Section title="Roles">
        <List size="sm" spacing={4} aria-label="Roles">
          {everyRole.map((role) => (
            <List.Item key={role}>
              <b>{role}</b>: {powers[role]}
            </List.Item>
          ))}
        </List>
      </Section>
    </Stack>
  );
}

function Everybody({ users }: { users: User[] }) {
  const [shown, setShown] = useState<string>();
  const [locked, setLocked] = useState<string>();
  const other = users.find(({ name }) => name === locked);
  return (
    <Stack gap="lg">
      <NewPerson made={setShown} />
      <Rows name="People" columns={["Name", "Role", "Since", "Password", ""]} minWidth={560} verticalSpacing="xs">
        {users.map((user) => (
          <Person key={user.name} user={user} show={() => setShown(user.name)} lock={() => setLocked(user.name)} />
        ))}
      </Rows>
      {shown && (
        <Modal opened onClose={() => setShown(undefined)} size="xl" title={`Tokens of ${shown}`}>
          <Tokens user={shown} />
        </Modal>
      )}
      {other && (
        <Modal opened onClose={() => setLocked(undefined)} title={`Password of ${other.name}`}>
          <Password name={other.name} setAt={other.passwordSetAt} done={() => setLocked(undefined)} />
        </Modal>
      )}
    </Stack>
  );
}

/** Whoever is new needs a token next. */
function NewPerson({ made }: { made: (name: string) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("developer");
  const acting = useActing();
  const mayNot = name.trim() === "" ? "Write a name first." : undefined;
  const make = async () => {
    await call("createUser", { body: { name: name.trim(), role } });
    made(name.trim());
    setName("");
  };
  const press = () => acting.mutate({ what: "make", run: make });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mayNot === undefined) press();
  };
  return (
    <Group component="form" align="flex-end" gap="sm" onSubmit={submit}>
      <TextInput
        label="New person"
        placeholder="name"
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <RoleSelect label="Role" value={role} choose={setRole} />
      <GuardedButton mayNot={mayNot} loading={acting.isPending} onPress={press}>
        Add
      </GuardedButton>
    </Group>
  );
}

interface PersonProps {
  user: User;
  show(): void;
  lock(): void;
}

function Person({ user: { name, role, createdAt, passwordSetAt }, show, lock }: PersonProps) {
  const acting = useActing();
  const change = (next: Role) =>
    acting.mutate({ what: "role", run: () => call("changeRole", { params: { name }, body: { role: next } }) });
  return (
    <Table.Tr>
      <Table.Th scope="row">{name}</Table.Th>
      <Table.Td>
        <RoleSelect name={`Role of ${name}`} value={role} choose={change} />
      </Table.Td>
      <Table.Td>
        <TimeAgo at={createdAt} />
      </Table.Td>
      <Table.Td>{passwordSetAt ? <TimeAgo at={passwordSetAt} /> : "none"}</Table.Td>
      <Table.Td ta="end">
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button size="compact-sm" variant="default" aria-label={`Password of ${name}…`} onClick={lock}>
            Password…
          </Button>
          <Button size="compact-sm" variant="default" aria-label={`Tokens of ${name}…`} onClick={show}>
            Tokens…
          </Button>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

interface RoleProps {
  label?: string;
  name?: string;
  value: Role;
  choose(role: Role): void;
}

function RoleSelect({ label, name, value, choose }: RoleProps) {
  return (
    <NativeSelect
      {...(label ? { label } : { "aria-label": name })}
      size={label ? "sm" : "xs"}
      maw={160}
      data={everyRole}
      value={value}
      onChange={({ currentTarget }) => {
        const role = everyRole.find((each) => each === currentTarget.value);
        if (role) choose(role);
      }}
    />
  );
}
