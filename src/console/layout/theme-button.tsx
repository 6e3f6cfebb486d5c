import { useState } from "react";
import { Monitor, Moon, Sun } from "lucide-react";
import { IconButton } from "../parts/icon-button.tsx";
import { chooseTheme, storedTheme, THEMES } from "./theme.ts";

const LOOKS = {
  device: { Icon: Monitor, name: "Theme: as the device" },
  light: { Icon: Sun, name: "Theme: light" },
  dark: { Icon: Moon, name: "Theme: dark" },
};

export function ThemeButton() {
  const [theme, setTheme] = useState(storedTheme);
  const { Icon, name } = LOOKS[theme];
  const change = (): void => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "device";
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <IconButton name={name} onClick={change}>
      <Icon aria-hidden size={16} />
    </IconButton>
  );
}
