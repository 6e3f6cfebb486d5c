/** What surrounds every page: the rail, which is a bar at the bottom of a narrow screen, and what there is to say of the connection. */
import { Link, Outlet } from "@tanstack/react-router";
import { Bot, Package, Wrench } from "lucide-react";
import { LiveDot } from "./live-dot.tsx";
import { ThemeButton } from "./theme-button.tsx";
import styles from "./shell.module.css";

const PLACES = [
  { to: "/", name: "Agents", Icon: Bot },
  { to: "/packs", name: "Packs", Icon: Package },
  { to: "/tools", name: "Tools", Icon: Wrench },
] as const;

export function Shell() {
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
          {PLACES.map(({ to, name, Icon }) => (
            <Link key={to} to={to} className={styles.place} activeOptions={{ exact: to === "/" }}>
              <Icon aria-hidden size={18} />
              <span>{name}</span>
            </Link>
          ))}
        </nav>
        <div className={styles.foot}>
          <LiveDot />
          <ThemeButton />
        </div>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}
