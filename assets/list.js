// Lists: search as you type, filters that apply at once, rows by keyboard, several rows at a time.
import { fetchPage } from "./fetch.js";
import { startRows } from "./rows.js";

const PAUSE = 160;
// One more comparison is asked for when its button is pressed, not while it is being made.
const LATER = ["where", "test", "value"];

/** The address that the form stands for; what is empty or everything is left out. */
function address(form) {
  const data = new FormData(form);
  const query = new URLSearchParams();
  for (const [name, value] of data) {
    if (value !== "" && name !== "col" && !LATER.includes(name) && form.elements[name]?.dataset?.usual !== value) query.append(name, value);
  }
  const boxes = [...form.querySelectorAll('input[name="col"]')];
  const differs = boxes.some((box) => box.checked !== ("usual" in box.dataset));
  if (differs) for (const box of boxes.filter((box) => box.checked)) query.append("col", box.value);
  const text = query.toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
}

export function startList() {
  const form = document.querySelector("[data-list-form]");
  if (!form) return;
  const storageKey = `columns:${form.getAttribute("action")}`;
  let running = null;
  let timer = 0;

  async function show(url, push) {
    running?.abort();
    running = new AbortController();
    const list = document.getElementById("list");
    list.classList.add("is-loading");
    let page = null;
    try {
      page = await fetchPage(url, running.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
    }
    const fresh = page?.getElementById("list");
    if (!fresh) {
      location.href = url;
      return;
    }
    list.replaceWith(fresh);
    const chips = page.getElementById("list-chips");
    document.getElementById("list-chips").replaceWith(chips);
    if (push) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
    fresh.dispatchEvent(new CustomEvent("list:shown", { bubbles: true }));
  }

  /** After a heading, a chip or the back button, the form must say what the address says. */
  function followAddress(url) {
    const query = new URL(url, location.href).searchParams;
    for (const field of form.elements) {
      // Hidden ones are what the address says; the next page brings its own.
      if (!field.name || field.name === "col" || field.type === "hidden" || LATER.includes(field.name)) continue;
      if (field.type === "checkbox") field.checked = query.has(field.name);
      else if (document.activeElement !== field) field.value = query.get(field.name) ?? (field.name === "sort" ? field.options[0].value : "");
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const url = new URL(address(form), location.href);
    const [where, test, value] = LATER.map((name) => form.elements[name]);
    if (where?.value && (value.value || ["empty", "filled"].includes(test.value))) {
      const [suffix, wanted] = { is: ["", value.value], empty: ["__empty", "true"], filled: ["__empty", "false"] }[test.value] ?? [`__${test.value}`, value.value];
      url.searchParams.set(where.value + suffix, wanted);
      where.value = value.value = "";
    }
    show(url.pathname + url.search, true);
  });
  form.addEventListener("input", (event) => {
    if (LATER.includes(event.target.name)) return;
    clearTimeout(timer);
    if (event.target.name === "col") {
      const chosen = [...form.querySelectorAll('input[name="col"]:checked')].map((box) => box.value);
      localStorage.setItem(storageKey, JSON.stringify(chosen));
    }
    timer = setTimeout(() => show(address(form), false), event.target.type === "search" ? PAUSE : 0);
  });
  // A page by its number, and how many rows it has.
  document.addEventListener("change", (event) => {
    const jump = event.target.closest("#list [data-jump]");
    if (!jump) return;
    const query = new URLSearchParams(new FormData(jump));
    if (event.target.name === "per_page") query.delete("page");
    show(`${jump.getAttribute("action")}?${query}`, true);
    window.scrollTo(0, 0);
  });
  document.addEventListener("list:changed", () => show(location.href, false));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#list .sortable-header, #list .pagination a, #list-chips a");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    followAddress(link.href);
    show(link.href, true);
    if (link.closest(".pagination")) window.scrollTo(0, 0);
  });
  window.addEventListener("popstate", () => {
    followAddress(location.href);
    show(location.href, false);
  });

  restoreColumns(form, storageKey, () => show(address(form), false));
  startRows();
}

/** Which columns somebody wants is remembered in their browser. */
function restoreColumns(form, storageKey, refresh) {
  // A saved view says which, too.
  if (new URLSearchParams(location.search).has("col") || form.querySelector('input[name="view"]')) return;
  let chosen;
  try {
    chosen = JSON.parse(localStorage.getItem(storageKey));
  } catch {
    return;
  }
  if (!Array.isArray(chosen)) return;
  let differs = false;
  for (const box of form.querySelectorAll('input[name="col"]:not(:disabled)')) {
    const wanted = chosen.includes(box.value);
    differs ||= box.checked !== wanted;
    box.checked = wanted;
  }
  if (differs) refresh();
}
