import { Alert, Button, Center, Paper, PasswordInput, Stack, Tabs, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { untilReached } from "../api/until-reached.ts";
import { type Credentials, useSession } from "./session.ts";

/** By name and password, or by a token. */
export function SignIn() {
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w={420}>
        <Stack>
          <img src="/towline.svg" width={40} height={40} alt="" />
          <Title order={1} size="h3">
            Sign in to Towline
          </Title>
          <Tabs defaultValue="password" keepMounted={false}>
            <Tabs.List grow mb="md" aria-label="Sign in by">
              <Tabs.Tab value="password">Password</Tabs.Tab>
              <Tabs.Tab value="token">Token</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="password">
              <ByPassword />
            </Tabs.Panel>
            <Tabs.Panel value="token">
              <ByToken />
            </Tabs.Panel>
          </Tabs>
        </Stack>
      </Paper>
    </Center>
  );
}

function ByPassword() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  return (
    <Entrance
      by={{ name: name.trim(), password }}
      about="An admin sets your first password, or you do in Settings once you are in by a token."
    >
      <TextInput
        label="Name"
        name="name"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={({ currentTarget }) => setPassword(currentTarget.value)}
      />
    </Entrance>
  );
}

function ByToken() {
  const [token, setToken] = useState("");
  return (
    <Entrance
      by={{ token: token.trim() }}
      about="The first start of the server printed the admin's token. Everybody else gets theirs from an admin."
    >
      <PasswordInput
        label="Token"
        name="token"
        placeholder="tw_…"
        autoComplete="off"
        autoFocus
        required
        value={token}
        onChange={({ currentTarget }) => setToken(currentTarget.value)}
      />
    </Entrance>
  );
}

function Entrance({ by, about, children }: { by: Credentials; about: string; children: ReactNode }) {
  const { signIn } = useSession();
  const entering = useMutation({
    mutationFn: signIn,
    ...untilReached,
    // Who waits at the door is soon told that nobody answers.
    retry: (failures, error) => failures < 3 && untilReached.retry(failures, error),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        entering.mutate(by);
      }}
    >
      <Stack>
        {children}
        {entering.error && (
          <Alert color="red" role="alert">
            {entering.error.message}
          </Alert>
        )}
        <Button type="submit" loading={entering.isPending}>
          Sign in
        </Button>
        <Text size="sm" c="dimmed">
          {about}
        </Text>
      </Stack>
    </form>
  );
}
