/** Light or dark: as the device wants it, unless the user chose. */
const KEY = "omnia-theme";
export const THEMES = ["device", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function storedTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === stored) ?? "device";
}

export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "device") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme(theme);
}
