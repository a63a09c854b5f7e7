// A section of a record's page is edited where it stands: its form comes from the page that shows it alone, and is sent there.
// Without this script that page is where it is edited.
import { fetchPage } from "./fetch.js";
import { searchable, watch } from "./form.js";

/** Names that the rest of the page has too would lead its labels astray. */
function rename(form) {
  const to = (id) => `edit-${id}`;
  for (const element of form.querySelectorAll("[for]")) element.htmlFor = to(element.htmlFor);
  for (const element of form.querySelectorAll("[aria-describedby]")) {
    element.setAttribute("aria-describedby", element.getAttribute("aria-describedby").split(" ").map(to).join(" "));
  }
  for (const element of form.querySelectorAll("[id]:not(.card)")) element.id = to(element.id);
}

/** Puts a section's form in the place of its card, or of the form that could not be saved. */
function put(form, place, card) {
  const gone = new AbortController();
  const close = (instead) => {
    gone.abort();
    form.replaceWith(instead);
  };
  rename(form);
  place.replaceWith(form);
  form.querySelectorAll("[data-picker]").forEach(searchable);
  watch(form, gone.signal);
  form.querySelector("[data-leave]").addEventListener("click", (event) => {
    event.preventDefault();
    close(card);
    card.querySelector("[data-section]")?.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } }).catch(() => null);
    const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
    const again = page?.querySelector("form[data-form]");
    if (again && !answer.redirected) {
      gone.abort();
      put(document.adoptNode(again), form, card);
    } else if (answer?.redirected && new URL(answer.url).pathname === location.pathname) {
      show(page, card, close);
    } else {
      // Whatever it is, the browser shows it.
      gone.abort();
      form.submit();
    }
  });
}

/** Takes what was saved from the fresh page: the card, what stands above the tabs, what happened, and what is said of it. */
function show(page, card, close) {
  const fresh = page.getElementById(card.id);
  if (!fresh) {
    location.reload();
    return;
  }
  close(document.adoptNode(fresh));
  for (const part of [".record-top .page-header", ".record-facts", "#history"]) {
    const [old, now] = [document.querySelector(part), page.querySelector(part)];
    if (old && now) old.replaceWith(document.adoptNode(now));
  }
  document.getElementById("toasts").append(...page.getElementById("toasts").children);
  document.dispatchEvent(new CustomEvent("section:saved"));
  for (const part of [fresh, document.querySelector("#history")]) part?.dispatchEvent(new CustomEvent("list:shown", { bubbles: true }));
  fresh.querySelector("[data-section]")?.focus();
}

export function startSections() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-section]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const page = await fetchPage(link.href).catch(() => null);
    const form = page?.querySelector("form[data-form]");
    const card = link.closest(".card");
    if (form && card) put(document.adoptNode(form), card, card);
    else location.href = link.href;
  });
}
