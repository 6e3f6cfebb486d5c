import { currentShortcuts } from "../keyboard/shortcuts.ts";
import { Dialog } from "../parts/dialog.tsx";
import styles from "./key-help.module.css";

const IS_MAC = /mac|iphone|ipad/i.test(navigator.userAgent);

/** The keys that do something on the page that is shown. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {currentShortcuts().map(({ keys, description }) => (
          <div key={keys} className={styles.row}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{shown(key)}</kbd>
              ))}
            </dt>
            <dd>{description}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function shown(key: string): string {
  return key.replace("Mod+", IS_MAC ? "⌘" : "Ctrl ").replace("Escape", "Esc");
}
