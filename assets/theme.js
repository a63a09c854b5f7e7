// The theme comes rendered by the server; here it only changes before the eyes of who chooses it.

export function startTheme() {
  const root = document.documentElement;
  document.addEventListener("change", (event) => {
    const { name, value } = event.target;
    if (!event.target.closest("[data-theme-form]")) return;
    if (name === "theme_preference") {
      if (value === "system" || value === "") root.removeAttribute("data-theme");
      else root.dataset.theme = value;
    }
    if (name === "preferred_color_theme") root.dataset.colorTheme = value;
  });
}
