import { AppShell, Box, Burger, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { Refused } from "../api/call.ts";
import { goLive, useConnection } from "../api/live.ts";
import { Failed, Loading } from "../parts/states.tsx";
import { useWho } from "../session/session.ts";
import { SignIn } from "../session/sign-in.tsx";
import { ConnectionSign } from "./connection-sign.tsx";
import { pages } from "./pages.ts";
import { Palette } from "./palette.tsx";
import { PersonMenu } from "./person-menu.tsx";
import { useShortcuts } from "./shortcuts.ts";

/** The frame of every page, for whoever is signed in. */
export function Shell() {
  const who = useWho();
  if (who.isPending) return <Loading what="who you are" />;
  if (who.error instanceof Refused && who.error.code.startsWith("auth.")) return <SignIn />;
  if (who.error) return <Failed what="Who you are" error={who.error} again={() => void who.refetch()} />;
  return <Live name={who.data.name} role={who.data.role} />;
}

/** The stream comes first: what is read once it is open needs not be read again. */
function Live(person: Person) {
  const queries = useQueryClient();
  useEffect(() => goLive(queries), [queries]);
  return useConnection().state === "opening" ? <Loading what="what happens" /> : <Frame {...person} />;
}

interface Person {
  name: string;
  role: string;
}

function Frame({ name, role }: Person) {
  useShortcuts();
  const [open, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !open } }}
      padding={{ base: "sm", sm: "lg" }}
    >
      <AppShell.Header>
        <Group h="100%" px="md" wrap="nowrap" justify="space-between">
          <Group wrap="nowrap" gap="sm">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Pages" />
            <img src="/towline.svg" style={{ width: "1.625rem", height: "1.625rem" }} alt="" />
            <Text fw={700} visibleFrom="xs">
              Towline
            </Text>
          </Group>
          <Group wrap="nowrap" gap="sm">
            <ConnectionSign />
            <Palette />
            <PersonMenu name={name} role={role} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <ScrollArea>
          {pages.map(({ to, label, key, Icon }) => (
            <NavLink
              key={to}
              label={label}
              active={to === "/" ? pathname === to : pathname.startsWith(to)}
              leftSection={<Icon size={18} stroke={1.6} aria-hidden />}
              rightSection={
                <Text size="xs" c="dimmed" ff="monospace" visibleFrom="sm" aria-hidden>
                  g {key}
                </Text>
              }
              onClick={close}
              renderRoot={(props) => <Link to={to} {...props} />}
            />
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main>
        {/* Wider than that, the end of a row is too far from its beginning. */}
        <Box maw={1800} mx="auto">
          <Outlet />
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}
