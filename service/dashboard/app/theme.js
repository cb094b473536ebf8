// Runs before the first paint, so that a dark page does not flash white. Without a choice of the
// reader the page follows the system.
(() => {
  const key = "actlab.theme";
  const root = document.documentElement;

  function read() {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is off: the system's choice holds
    }
  }

  /** @param {string | null} theme */
  function apply(theme) {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    root.dispatchEvent(new Event("themechange"));
  }

  /** @param {Theme} theme */
  function keep(theme) {
    try {
      if (theme === "system") localStorage.removeItem(key);
      else localStorage.setItem(key, theme);
    } catch {
      // storage is off: the choice holds until the page is left
    }
  }

  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", () => root.dispatchEvent(new Event("themechange")));
  addEventListener("storage", (event) => event.key === key && apply(event.newValue));
  apply(read());

  window.actlabTheme = {
    isDark: () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches),
    chosen: () => /** @type {Theme} */ (root.dataset.theme ?? "system"),
    choose(theme) {
      keep(theme);
      apply(theme);
    },
  };
})();
