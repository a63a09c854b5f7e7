// What somebody looked at last, until they sign out, and their favourites: kept in their browser, under their name. What
// favourites are called is forgotten at the sign-out too: the browser asks for it again when they are next wanted.
import { fetchPage } from "./fetch.js";

const MOST = 12;

function key(what) {
  return `codex:${what}:${document.querySelector(".app")?.dataset.reader ?? ""}`;
}

function read(what) {
  try {
    const kept = JSON.parse(localStorage.getItem(key(what)));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function write(what, items) {
  try {
    localStorage.setItem(key(what), JSON.stringify(items));
  } catch {
    // A browser that keeps nothing has no history here.
  }
}

const shown = (items, prefix, kind) => items.map(({ title, path, room }) => ({ title, href: prefix + path, kind: `${kind} · ${room}` }));

/** The records looked at last, the newest first. */
export function recent(prefix) {
  return shown(read("recent"), prefix, "Recent");
}

/** The records that somebody marked, as far as it is known what they are called. */
export function favourites(prefix) {
  const kept = read("favourites");
  if (kept.some((item) => !item.title)) name(prefix);
  return shown(kept.filter((item) => item.title), prefix, "Favourite");
}

let naming = null;

/** Asks what the favourites are called. */
function name(prefix) {
  naming ??= Promise.all(
    read("favourites").map(async (item) => {
      if (item.title) return item;
      const page = await fetchPage(prefix + item.path).catch(() => null);
      const title = page?.querySelector("[data-record] [data-title]")?.dataset.title;
      return title ? { ...item, title } : item;
    }),
  ).then((items) => write("favourites", items));
}

/** Forgets every name that this browser has kept for anybody. */
function forget() {
  try {
    for (const kept of Object.keys(localStorage)) {
      if (kept.startsWith("codex:recent:")) localStorage.removeItem(kept);
      if (kept.startsWith("codex:favourites:")) {
        const items = JSON.parse(localStorage.getItem(kept)) ?? [];
        localStorage.setItem(kept, JSON.stringify(items.map(({ path, room }) => ({ path, room }))));
      }
    }
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

export function startRecent(prefix) {
  for (const form of document.querySelectorAll('form[action$="/logout"], form[action$="/sign-out-everywhere"]')) {
    form.addEventListener("submit", forget);
  }
  // A session that ended by itself ends here.
  if (document.querySelector(".door")) forget();
  const head = document.querySelector("[data-record]");
  const title = head?.querySelector("[data-title]")?.dataset.title;
  if (!title) return;
  const here = { title, path: location.pathname.slice(prefix.length), room: head.dataset.record };
  const others = (items) => items.filter((item) => item.path !== here.path);
  write("recent", [here, ...others(read("recent"))].slice(0, MOST));

  const star = () => head.querySelector("[data-favourite]");
  const mark = () => {
    const is = read("favourites").some((item) => item.path === here.path);
    star().setAttribute("aria-pressed", String(is));
    star().title = is ? "Remove from favourites" : "Add to favourites";
    star().hidden = false;
  };
  head.addEventListener("click", (event) => {
    if (!event.target.closest("[data-favourite]")) return;
    const kept = read("favourites");
    const is = kept.some((item) => item.path === here.path);
    write("favourites", is ? others(kept) : [here, ...kept].slice(0, MOST));
    mark();
  });
  // A section that was saved brings a new head.
  document.addEventListener("section:saved", mark);
  mark();
}
