// Ctrl-K: everything by name, number, hostname, serial or address. `/` goes to the search, `?` explains.
import { fetchJson } from "./fetch.js";

const PAUSE = 90;
const KEYS = [
  ["Ctrl K", "Find anything"],
  ["/", "Search in this list, or find anything"],
  ["j k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["x", "Choose the row"],
  ["n", "New record"],
  ["e", "Edit this record"],
  ["Ctrl Enter", "Save a form"],
  ["Esc", "Close, or leave a form"],
  ["g d, g c, g p, g a", "Go to dashboard, companies, contacts, assets"],
];

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A dialog that shows by the class the platform knows, keeps the focus inside and gives it back. */
function dialog(label) {
  const modal = element("div", "modal");
  const box = element("div", "modal__dialog");
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  box.setAttribute("aria-label", label);
  modal.append(box);
  document.querySelector(".app").append(modal);
  let before = null;
  const close = () => {
    modal.classList.remove("active");
    before?.focus();
  };
  const open = () => {
    before = document.activeElement;
    modal.classList.add("active");
  };
  modal.addEventListener("mousedown", (event) => event.target === modal && close());
  modal.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    if (event.key === "Tab") event.preventDefault();
  });
  return { modal, box, open, close };
}

function actions(prefix) {
  const found = [...document.querySelectorAll(".rail__link[href], .page-header__actions a.btn[href]")];
  return found.map((link) => ({ title: link.textContent.trim(), href: link.href, kind: link.closest(".rail") ? "Go to" : "Action" }))
    .concat([{ title: "Keys", kind: "Help", act: "keys" }]);
}

const SINGULAR = { companies: "company", contacts: "contact", assets: "asset", tickets: "ticket", billing_plans: "billing plan" };

/** The answer of /api/search, whatever group a hit stands in. */
function hits(answer, prefix) {
  const list = Array.isArray(answer) ? answer : answer.results ?? Object.entries(SINGULAR).flatMap(([plural, type]) => (answer[plural] ?? []).map((hit) => ({ ...hit, type })));
  return list.map((hit) => {
    const type = hit.type ?? hit.entity ?? hit.kind;
    const key = type === "company" ? hit.account_number ?? hit.key ?? hit.id : hit.id;
    const room = { company: "companies", contact: "contacts", asset: "assets", ticket: "tickets" }[type];
    const title = hit.title ?? hit.name ?? hit.hostname ?? hit.label;
    const detail = hit.detail ?? hit.subtitle ?? hit.company_name ?? (type === "company" ? hit.account_number : hit.email ?? hit.company);
    return { title, kind: [type, detail].filter(Boolean).join(" · "), href: hit.url ? prefix + hit.url : `${prefix}/${room}/${encodeURIComponent(key)}` };
  });
}

export function startPalette(prefix) {
  if (!document.querySelector(".app") || document.querySelector(".door")) return;
  const help = keysDialog();
  let palette = null;

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      (palette ??= build(prefix, help)).show();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector(".modal.active")) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    if (event.key === "/") {
      event.preventDefault();
      const field = document.querySelector("[data-search]");
      if (field) field.select();
      else (palette ??= build(prefix, help)).show();
    } else if (event.key === "?") help.show();
    else if (event.key === "e") document.querySelector("[data-edit]")?.click();
    else goTo(event, prefix);
  });
  for (const link of document.querySelectorAll("[data-palette]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      (palette ??= build(prefix, help)).show();
    });
  }
}

let pending = 0;
function goTo(event, prefix) {
  const rooms = { d: "/", c: "/companies/", p: "/contacts/", a: "/assets/" };
  if (Date.now() - pending < 900 && rooms[event.key]) location.href = prefix + rooms[event.key];
  pending = event.key === "g" ? Date.now() : 0;
}

function keysDialog() {
  let made = null;
  return {
    show() {
      if (!made) {
        made = dialog("Keys");
        const list = element("dl", "keys modal__body");
        for (const [key, what] of KEYS) {
          const term = element("dt");
          term.append(element("kbd", "", key));
          list.append(term, element("dd", "", what));
        }
        list.tabIndex = -1;
        made.box.append(list);
      }
      made.open();
      made.box.firstChild.focus();
    },
  };
}

function build(prefix, help) {
  const { box, open, close } = dialog("Find anything");
  const field = element("input", "palette");
  field.type = "search";
  field.placeholder = "Name, number, hostname, serial, address, or an action";
  field.setAttribute("aria-label", "Find anything");
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "true");
  field.setAttribute("aria-controls", "palette-list");
  const list = element("div", "palette__list");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Results");
  box.append(field, list, element("div", "palette__hint", "Arrows choose, Enter opens, Esc closes"));
  const known = actions(prefix);
  let shown = [];
  let at = 0;
  let timer = 0;
  // What the shown list answers, the question that is under way, and whether Enter waits for it.
  let answered = "";
  let running = null;
  let going = 0;

  function draw(items) {
    shown = items;
    at = 0;
    list.replaceChildren(...items.map((item, index) => {
      const row = element("a", "palette__item");
      row.href = item.href ?? "#";
      row.id = `palette-${index}`;
      row.tabIndex = -1;
      row.setAttribute("role", "option");
      row.append(element("span", "", item.title), element("small", "", item.kind));
      row.addEventListener("click", (event) => item.act && (event.preventDefault(), run(item)));
      return row;
    }));
    if (!items.length) list.append(element("p", "empty-state", "Nothing has this name or number."));
    mark();
  }
  function mark() {
    [...list.querySelectorAll("[role=option]")].forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    const row = list.children[at];
    if (row?.id) field.setAttribute("aria-activedescendant", row.id);
    row?.scrollIntoView({ block: "nearest" });
  }
  function run(item) {
    if (item.act === "keys") {
      close();
      help.show();
    } else location.href = item.href;
  }
  /** Shows what the field's text finds; one question at a time, and only the newest answer counts. */
  function search() {
    clearTimeout(timer);
    const words = field.value.trim();
    if (running?.words === words) return running.done;
    running?.stop.abort();
    const mine = { words, stop: new AbortController(), done: null };
    running = mine;
    mine.done = ask(words, mine.stop.signal).then((items) => {
      if (running !== mine) return;
      running = null;
      answered = words;
      draw(items);
    });
    return mine.done;
  }
  async function ask(words, signal) {
    if (!words) return known;
    const near = known.filter((item) => item.title.toLowerCase().includes(words.toLowerCase()));
    try {
      const answer = await fetchJson(`${prefix}/api/search?q=${encodeURIComponent(words)}&limit=12`, { signal });
      return [...hits(answer, prefix), ...near];
    } catch (error) {
      return [...near, { title: error.message, kind: "" }];
    }
  }
  /** Enter: what the text finds, as soon as it is known; never what an earlier text found. */
  async function go() {
    const mine = ++going;
    const words = field.value.trim();
    if (words !== answered || running) await search();
    const stays = mine === going && field.value.trim() === words && answered === words && box.parentElement.classList.contains("active");
    if (stays && (shown[at]?.href || shown[at]?.act)) run(shown[at]);
  }
  field.addEventListener("input", () => {
    going += 1;
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") at = Math.min(shown.length - 1, at + 1);
    else if (event.key === "ArrowUp") at = Math.max(0, at - 1);
    else if (event.key === "Enter") {
      event.preventDefault();
      go();
      return;
    } else return;
    event.preventDefault();
    mark();
  });
  return {
    show() {
      open();
      clearTimeout(timer);
      running?.stop.abort();
      running = null;
      going += 1;
      field.value = "";
      answered = "";
      draw(known);
      field.focus();
    },
  };
}
