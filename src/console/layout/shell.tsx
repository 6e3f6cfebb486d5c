/** What surrounds every page: the rail, which is a bar at the bottom of a narrow screen, and what is said of the connection. */
import { useEffect, useState } from "react";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Bot, Keyboard, Package, Search, Wrench } from "lucide-react";
import { systemClock } from "../../time/clock.ts";
import { pressKey, useShortcut } from "../keyboard/shortcuts.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { KeyHelp } from "./key-help.tsx";
import { LiveDot } from "./live-dot.tsx";
import { NamespaceSelect } from "./namespace-select.tsx";
import { Palette } from "./palette.tsx";
import { SignIn } from "./sign-in.tsx";
import { ThemeButton } from "./theme-button.tsx";
import styles from "./shell.module.css";

/** `below` is where the pages of what the list holds are. */
const PLACES = [
  { to: "/", below: "/agents/", name: "Agents", Icon: Bot },
  { to: "/packs", below: "/packs/", name: "Packs", Icon: Package },
  { to: "/tools", below: "/tools/", name: "Tools", Icon: Wrench },
] as const;

export function Shell() {
  const [open, setOpen] = useState<"palette" | "keys">();
  const close = (): void => setOpen(undefined);
  useGlobalKeys(setOpen);
  const { pathname } = useLocation();
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">
        Skip to the page
      </a>
      <header className={styles.rail}>
        <Link to="/" className={styles.brand}>
          Omnia
        </Link>
        <nav aria-label="Places" className={styles.places}>
          {PLACES.map(({ to, below, name, Icon }) => (
            <Link
              key={to}
              to={to}
              search={({ ns }: { ns?: string | undefined }) => (ns === undefined ? {} : { ns })}
              className={styles.place}
              data-here={pathname === to || pathname.startsWith(below)}
              activeOptions={{ exact: true, includeSearch: false }}
            >
              <Icon aria-hidden size={18} />
              <span>{name}</span>
            </Link>
          ))}
        </nav>
        <div className={styles.foot}>
          <NamespaceSelect />
          <div className={styles.buttons}>
            <IconButton name="Go to (Ctrl K)" onClick={() => setOpen("palette")}>
              <Search aria-hidden size={16} />
            </IconButton>
            <span className={styles.wide}>
              <IconButton name="Keys (?)" onClick={() => setOpen("keys")}>
                <Keyboard aria-hidden size={16} />
              </IconButton>
            </span>
            <ThemeButton />
          </div>
          <LiveDot />
        </div>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <SignIn />
        <Outlet />
      </main>
      {open === "palette" ? <Palette onClose={close} /> : undefined}
      {open === "keys" ? <KeyHelp onClose={close} /> : undefined}
    </div>
  );
}

function useGlobalKeys(setOpen: (what: "palette" | "keys") => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    const listening = new AbortController();
    document.addEventListener("keydown", (event) => pressKey(event, systemClock.monotonic()), {
      signal: listening.signal,
    });
    return () => listening.abort();
  }, []);
  useShortcut({ keys: "Mod+k", description: "Go to …", inFields: true }, () => setOpen("palette"));
  useShortcut({ keys: "?", description: "Keys" }, () => setOpen("keys"));
  useShortcut({ keys: "g a", description: "Agents" }, () => void navigate({ to: "/" }));
  useShortcut({ keys: "g p", description: "Packs" }, () => void navigate({ to: "/packs" }));
  useShortcut({ keys: "g t", description: "Tools" }, () => void navigate({ to: "/tools" }));
}
