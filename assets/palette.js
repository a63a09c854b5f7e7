// Ctrl-K: any record by any mark of it, any page, any action. `/` goes to the search, `?` explains, `g` and a letter go places.
import { fetchJson } from "./fetch.js";
import { favourites, recent } from "./recent.js";

const PAUSE = 90;
const KEYS = [
  ["Ctrl K", "Find anything, go anywhere, do something"],
  ["/", "Search in this list, or find anything"],
  ["j k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["n", "New record"],
  ["e", "Edit this record"],
  ["Ctrl Enter", "Save a form"],
  ["Esc", "Close, or cancel a form"],
  ["g d, g c, g p, g a, g t", "Go to dashboard, companies, contacts, assets, tickets"],
  ["g s", "Go to syncs or settings"],
];

/** The pages there are, and who sees them: everybody, those who may write, administrators. */
const PAGES = [
  ["Dashboard", "/"], ["Companies", "/companies/"], ["Contacts", "/contacts/"], ["Assets", "/assets/"], ["Tickets", "/tickets/"],
  ["Alerts", "/alerts/"], ["Network equipment", "/network/equipment/"], ["Subnets", "/network/subnets/"], ["Licences", "/licenses/"],
  ["Billing plans", "/billing-plans/"], ["Settings", "/settings"], ["Notes", "/notes/", "staff"], ["Sync", "/admin/", "admin"],
  ["Sites and devices to match", "/admin/review", "admin"], ["Outbox", "/admin/outbox", "admin"],
  ["Notifications", "/admin/notices", "admin"], ["Compliance", "/admin/compliance", "admin"], ["Audit log", "/admin/audit", "admin"],
  ["Disclosures", "/admin/disclosures", "admin"], ["Backups", "/admin/backups", "admin"], ["Webhooks", "/admin/outgoing-webhooks", "admin"],
  ["Fields and tags", "/admin/fields/", "admin"], ["API keys", "/admin/keys", "admin"], ["Users", "/admin/users", "people"],
  ["Invite user", "/admin/users/new", "people"],
];

/** What can be added, and whether it belongs to a company. */
const NEW = [
  ["company", "/companies/new", false], ["contact", "/contacts/new", true], ["asset", "/assets/new", true],
  ["subnet", "/network/subnets/new", true], ["network equipment", "/network/equipment/new", true], ["licence", "/licenses/new", true],
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

/** Pages, and what can be done on this page or anywhere. */
function actions(prefix, role) {
  const sees = { admin: ["admin", "staff"], staff: ["staff"] }[role] ?? [];
  // Without our rail we are inside the platform, which keeps its own users.
  if (role === "admin" && document.querySelector(".rail")) sees.push("people");
  const pages = PAGES.filter(([, , whose]) => !whose || sees.includes(whose)).map(([title, path]) => ({ title, href: prefix + path, kind: "Go to" }));
  const here = [...document.querySelectorAll(".page-header__actions a[href]")].map((link) => ({
    title: link.textContent.trim(), href: link.href, kind: "On this page", isAway: link.target === "_blank",
  }));
  const made = sees.length ? NEW.map(([what, path]) => ({ title: `New ${what}`, href: prefix + path, kind: "Action" })) : [];
  const own = here.filter((item) => !made.some((known) => known.title === item.title));
  // A record's own actions come first; a list's import is rarely what somebody looks for.
  const rare = own.filter((item) => item.title === "Import");
  return [...own.filter((item) => !rare.includes(item)), ...pages, ...made, ...rare, { title: "Keyboard shortcuts", kind: "Help", act: "keys" }];
}

/** "new contact at acme": what is to be added, and the words that name the company. */
function adding(words) {
  const asked = /^(?:new|add) (.+?) (?:at|for|in|to) (.+)$/i.exec(words);
  const found = asked && NEW.find(([what, , ofCompany]) => ofCompany && what.startsWith(asked[1].toLowerCase()));
  return found ? { what: found[0], path: found[1], company: asked[2] } : null;
}

/** The syncs that an administrator can start, read once when they are first asked for. */
let jobs = null;
function syncs(prefix) {
  jobs ??= fetchJson(`${prefix}/api/sync/schedules`).catch(() => []);
  return jobs.then((all) => (Array.isArray(all) ? all : []).map((job) => ({ title: `Run ${job.label}`, kind: "Action", post: `${prefix}/admin/sync/${encodeURIComponent(job.job)}` })));
}

const ROOMS = { company: "companies", contact: "contacts", asset: "assets", ticket: "tickets" };

/** Whoever rings is a person before they are a place. */
const FIRST = ["companies", "contacts", "assets", "tickets"];

/** The answer of /api/search, whatever group a hit stands in. */
function hits(answer, prefix) {
  const groups = [...FIRST, ...Object.keys(answer).filter((name) => !FIRST.includes(name))];
  return groups.map((name) => answer[name]).filter(Array.isArray).flat().map((hit) => {
    const key = hit.type === "company" ? hit.account_number : hit.id;
    const detail = hit.phone ?? hit.company_name ?? (hit.type === "company" ? hit.account_number : hit.email);
    const path = hit.url ?? (ROOMS[hit.type] ? `/${ROOMS[hit.type]}/${encodeURIComponent(key)}` : `/records/${hit.type}/${key}`);
    return { title: hit.name, kind: [hit.type.replaceAll("_", " "), detail].filter(Boolean).join(" · "), href: prefix + path };
  });
}

/** Whether every word begins a word of the text. */
function fits(text, words) {
  const known = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return words.toLowerCase().split(/\s+/).every((word) => known.some((one) => one.startsWith(word)));
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
  const isAdmin = document.querySelector(".app").dataset.role === "admin";
  const rooms = { d: "/", c: "/companies/", p: "/contacts/", a: "/assets/", t: "/tickets/", s: isAdmin ? "/admin/" : "/settings" };
  if (Date.now() - pending < 900 && rooms[event.key]) {
    event.preventDefault();
    event.stopImmediatePropagation();
    location.href = prefix + rooms[event.key];
  }
  pending = event.key === "g" ? Date.now() : 0;
}

function keysDialog() {
  let made = null;
  return {
    show() {
      if (!made) {
        made = dialog("Keyboard shortcuts");
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
  field.placeholder = "Name, number, phone, hostname, serial, IP, or what to do";
  field.setAttribute("aria-label", "Find anything");
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "true");
  field.setAttribute("aria-controls", "palette-list");
  const list = element("div", "palette__list");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Results");
  box.append(field, list, element("div", "palette__hint", "Arrows choose, Enter opens, Esc closes"));
  const role = document.querySelector(".app").dataset.role;
  const known = actions(prefix, role);
  /** What is shown before anything is typed: favourites, what was looked at last, then pages and actions. */
  const usual = () => {
    const own = [...favourites(prefix), ...recent(prefix)].filter((item) => item.href !== location.pathname);
    return [...own.filter((item, at) => own.findIndex((one) => one.href === item.href) === at), ...known];
  };
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
      row.addEventListener("click", (event) => (item.act || item.post || item.isAway) && (event.preventDefault(), run(item)));
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
    } else if (item.post) {
      const form = element("form");
      form.method = "post";
      form.action = item.post;
      box.append(form);
      form.submit();
    } else if (item.isAway) window.open(item.href, "_blank", "noreferrer");
    else location.href = item.href;
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
    if (!words) return usual();
    const near = known.filter((item) => fits(item.title, words));
    try {
      const add = role !== "reader" && adding(words);
      if (add) {
        const answer = await fetchJson(`${prefix}/api/search?q=${encodeURIComponent(add.company)}&limit=8`, { signal });
        const at = (company) => ({ title: `New ${add.what} at ${company.name}`, kind: "Action", href: `${prefix}${add.path}?company=${encodeURIComponent(company.account_number)}` });
        if (answer.companies?.length) return answer.companies.map(at);
      }
      if (role === "admin" && /^(run|sync)\b/i.test(words)) near.unshift(...(await syncs(prefix)).filter((item) => fits(item.title, words.replace(/\b(run|sync)\b/gi, " ").trim())));
      const answer = await fetchJson(`${prefix}/api/search?q=${encodeURIComponent(words)}&limit=12`, { signal });
      // Of what is found, what somebody looked at last comes first when its name has the words.
      const seen = recent(prefix).filter((item) => fits(item.title, words)).map((item) => item.href);
      const rank = (hit) => (seen.includes(hit.href) ? seen.indexOf(hit.href) : seen.length);
      const found = hits(answer, prefix).sort((one, other) => rank(one) - rank(other));
      // Whoever writes a page's or an action's whole name means that.
      const exact = near.filter((item) => item.post || item.title.toLowerCase() === words.toLowerCase());
      return [...exact, ...found, ...near.filter((item) => !exact.includes(item))];
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
    if (stays && (shown[at]?.href || shown[at]?.act || shown[at]?.post)) run(shown[at]);
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
      draw(usual());
      field.focus();
    },
  };
}
