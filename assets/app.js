// Everything here is a help on top of pages that work without it.
import { startList } from "./list.js";
import { startForms } from "./form.js";
import { startPalette } from "./palette.js";
import { startToasts, toast } from "./toast.js";
import { startSync } from "./sync.js";
import { startTheme } from "./theme.js";
import { startImport } from "./import.js";
import { startAgents } from "./agents.js";
import { startRecent } from "./recent.js";
import { startReference } from "./reference.js";
import { startChoices, startReview } from "./review.js";
import { startSections } from "./section.js";
import { startTabs } from "./tabs.js";

const root = document.querySelector(".app");
const prefix = root?.dataset.prefix ?? "";
document.documentElement.classList.add("scripted");

/** Buttons that copy are of no use without scripts, and their markup is longer than most of what they copy: they are made here. */
function addCopyButtons(within) {
  // Without our style sheet they would be boxes beside every value.
  const icon = document.getElementById("copy-icon");
  if (!icon) return;
  for (const value of within.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-label", `Copy ${value.textContent}`);
    button.append(icon.content.cloneNode(true));
    value.removeAttribute("data-copy");
    value.after(" ", button);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy");
  if (button) {
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(button.getAttribute("aria-label").slice("Copy ".length));
      button.classList.add("is-done");
      setTimeout(() => button.classList.remove("is-done"), 1200);
    } catch {
      toast("The browser did not allow copying.", "error");
    }
    return;
  }
  if (event.target.closest("[data-print]")) window.print();
  // A menu closes when the next click lands elsewhere.
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopImmediatePropagation();
  }
});

// A moment that is told by its distance says exactly when, too.
const exactly = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });
document.addEventListener("pointerover", (event) => {
  const moment = event.target.closest("time[datetime]:not([title])");
  if (moment) moment.title = `${exactly.format(new Date(moment.dateTime))} UTC`;
});

document.addEventListener("list:shown", (event) => addCopyButtons(event.target));

addCopyButtons(document);
// What scrolls sideways can be scrolled by keys.
for (const wrapper of document.querySelectorAll(".table-wrapper")) {
  if (wrapper.scrollWidth > wrapper.clientWidth) wrapper.tabIndex = 0;
}
startTabs();
startRecent(prefix);
startReference();
startToasts();
startTheme();
startImport();
startAgents();
startList();
startForms();
startSections();
startPalette(prefix);
startSync(prefix);
startReview(prefix);
startChoices();
