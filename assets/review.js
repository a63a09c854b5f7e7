// What a person decides one by one: y accepts what is proposed, n leaves it, j and k go on and back; companies are
// offered while their name is typed.
import { fetchJson } from "./fetch.js";

const PLACE = "codex-review-at";
const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select");

/** Takes what is proposed; where nothing is, a person says which company it is. */
function accept(entry) {
  const proposed = entry.querySelector("[data-accept]");
  if (proposed) proposed.click();
  else entry.querySelector("input[name=target]:not([type=hidden])").focus();
}

function startKeys(list) {
  const entries = [...list.children];
  let at = Math.min(Number(sessionStorage.getItem(PLACE)) || 0, entries.length - 1);
  const show = (next, quietly) => {
    entries[at].classList.remove("is-current");
    at = Math.max(0, Math.min(entries.length - 1, next));
    sessionStorage.setItem(PLACE, at);
    entries[at].classList.add("is-current");
    entries[at].focus({ preventScroll: quietly });
  };
  show(at, at === 0);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector(".modal.active")) return;
    const entry = entries[at];
    if (event.key === "j") show(at + 1);
    else if (event.key === "k") show(at - 1);
    else if (event.key === "y") accept(entry);
    else if (event.key === "n") entry.querySelector("[data-decline]")?.click();
    else return;
    event.preventDefault();
  });
}

function startCompanies(prefix) {
  const offers = document.getElementById("companies");
  let asked = 0;
  const offer = async (field) => {
    const words = field.value.trim();
    asked += 1;
    const mine = asked;
    if (!words) return;
    const query = new URLSearchParams({ q: words, limit: "8", fields: "account_number,name" });
    const found = await fetchJson(`${prefix}/api/companies?${query}`);
    if (mine !== asked) return;
    offers.replaceChildren(...found.map((company) => new Option(company.name, company.account_number)));
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-companies]")) offer(event.target).catch(() => offers.replaceChildren());
  });
}

export function startReview(prefix) {
  const list = document.querySelector("[data-review]");
  if (list) startKeys(list);
  if (document.querySelector("[data-companies]")) startCompanies(prefix);
}

/** Boxes that tick all of their group, and a button that says how many are ticked. */
export function startChoices() {
  const form = document.querySelector("[data-choices]");
  if (!form) return;
  const boxes = (within) => [...within.querySelectorAll('input[name="items[]"]')];
  const send = form.querySelector("[data-choices-send]");
  const words = send.textContent;
  const count = () => {
    const some = boxes(form).filter((box) => box.checked).length;
    send.textContent = some ? `Approve ${some} selected` : words;
    send.disabled = !some;
    for (const group of form.querySelectorAll("[data-choose-group]")) {
      const own = boxes(group.closest("[data-choices-of]") ?? form);
      const ticked = own.filter((box) => box.checked).length;
      group.checked = ticked === own.length;
      group.indeterminate = ticked > 0 && ticked < own.length;
    }
  };
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-group]")) {
      for (const box of boxes(event.target.closest("[data-choices-of]") ?? form)) box.checked = event.target.checked;
    }
    count();
  });
  count();
}
