// What somebody looked at last, until they sign out, and their favourites: kept in their browser, under their name.

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

/** The records that somebody marked. */
export function favourites(prefix) {
  return shown(read("favourites"), prefix, "Favourite");
}

export function startRecent(prefix) {
  for (const form of document.querySelectorAll('form[action$="/logout"]')) {
    form.addEventListener("submit", () => write("recent", []));
  }
  const head = document.querySelector("[data-record]");
  const title = head?.querySelector("[data-title]")?.dataset.title;
  if (!title) return;
  const here = { title, path: location.pathname.slice(prefix.length), room: head.dataset.record };
  const others = (items) => items.filter((item) => item.path !== here.path);
  write("recent", [here, ...others(read("recent"))].slice(0, MOST));

  const star = head.querySelector("[data-favourite]");
  const mark = () => {
    const is = read("favourites").some((item) => item.path === here.path);
    star.setAttribute("aria-pressed", String(is));
    star.title = is ? "Remove from favourites" : "Add to favourites";
  };
  star.hidden = false;
  star.addEventListener("click", () => {
    const kept = read("favourites");
    const is = kept.some((item) => item.path === here.path);
    write("favourites", is ? others(kept) : [here, ...kept].slice(0, MOST));
    mark();
  });
  mark();
}
