// A record's tabs: one part of the page at a time. The address says which; without this script the tabs are links within the page.
// Parts for which the page had no room are fetched when somebody is about to open them.
import { fetchPage } from "./fetch.js";

const KEPT = "codex:tab";

function keep(place) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(place));
  } catch {
    // A browser that keeps nothing shows the first tab again.
  }
}

function take() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    sessionStorage.removeItem(KEPT);
    return kept;
  } catch {
    return [];
  }
}

export function startTabs() {
  const bar = document.querySelector("[data-tabs]");
  const parts = [...document.querySelectorAll("[data-tab]")];
  if (!bar || !parts.length) return;
  const links = [...bar.querySelectorAll("a")];

  bar.setAttribute("role", "tablist");
  links.forEach((link, at) => {
    const part = parts[at];
    link.id = `tab-${link.hash.slice(1)}`;
    part.id ||= `part-${link.hash.slice(1)}`;
    link.setAttribute("role", "tab");
    link.setAttribute("aria-controls", part.id);
    part.setAttribute("role", "tabpanel");
    part.setAttribute("aria-labelledby", link.id);
  });

  const target = (hash) => (hash.length > 1 ? document.getElementById(hash.slice(1)) : null);
  /** The part that holds an element; the first one for everything else. */
  const place = (element) => Math.max(0, parts.findIndex((part) => element && part.contains(element)));
  let shown = -1;

  /** Fetches what a part holds, once. */
  async function fill(at) {
    const part = parts[at];
    const url = part.dataset.later;
    if (!url) return;
    delete part.dataset.later;
    part.setAttribute("aria-busy", "true");
    const page = await fetchPage(url).catch(() => null);
    const fresh = page?.querySelectorAll("[data-tab]")[at];
    if (!fresh || fresh.dataset.later) {
      part.dataset.later = url;
      if (at === shown) location.href = url + links[at].hash;
      return;
    }
    // The part keeps its id only where none of its cards has it.
    if (!fresh.id) part.id = `part-${links[at].hash.slice(1)}`;
    links[at].setAttribute("aria-controls", part.id);
    part.replaceChildren(...fresh.childNodes);
    part.removeAttribute("aria-busy");
    part.dispatchEvent(new CustomEvent("list:shown", { bubbles: true }));
    if (at === shown) reveal();
  }

  function mark(at) {
    shown = at;
    fill(at);
    parts.forEach((part, index) => (part.hidden = index !== at));
    links.forEach((link, index) => {
      link.classList.toggle("tabs__tab--active", index === at);
      link.setAttribute("aria-selected", String(index === at));
      link.tabIndex = index === at ? 0 : -1;
    });
    links[at].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Shows what the address says: a tab, or the tab of a card that is not its first. */
  function follow() {
    mark(place(target(location.hash)));
    reveal();
  }

  function reveal() {
    const element = target(location.hash);
    const isWhole = !element || element === parts[shown] || element === parts[shown].firstElementChild;
    if (isWhole) window.scrollTo(0, 0);
    else element.scrollIntoView();
  }

  function open(at) {
    if (links[at].hash !== location.hash) history.pushState(null, "", links[at].hash);
    mark(at);
    window.scrollTo(0, 0);
  }

  bar.addEventListener("click", (event) => {
    const at = links.indexOf(event.target.closest("a"));
    if (at < 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    open(at);
  });
  for (const wish of ["pointerover", "focusin"]) {
    bar.addEventListener(wish, (event) => {
      const at = links.indexOf(event.target.closest("a"));
      if (at >= 0) fill(at);
    });
  }
  bar.addEventListener("keydown", (event) => {
    const last = links.length - 1;
    const to = { ArrowRight: shown === last ? 0 : shown + 1, ArrowLeft: shown === 0 ? last : shown - 1, Home: 0, End: last }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open(to);
    links[to].focus();
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("popstate", follow);
  window.addEventListener("beforeprint", () => parts.forEach((part) => (part.hidden = false)));
  window.addEventListener("afterprint", () => mark(shown));

  // Whoever sends a form comes back to the tab where it stood.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !parts[shown].contains(event.target) || event.target.method !== "post") return;
    keep([location.pathname, links[shown].hash]);
  });
  const kept = take();
  const wrong = document.querySelector('[data-tab] [aria-invalid="true"], [data-tab] .field-error');
  const asked = new URLSearchParams(location.search).get("tab");
  if (location.hash) follow();
  else if (wrong) mark(place(wrong));
  else if (kept[0] === location.pathname) mark(Math.max(0, links.findIndex((link) => link.hash === kept[1])));
  else mark(Math.max(0, links.findIndex((link) => link.hash === `#${asked}`)));
}
