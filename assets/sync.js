// Sync centre: start a run without leaving the page and watch it until it is done.
import { fetchJson } from "./fetch.js";
import { toast } from "./toast.js";

const POLL = 1500;

export function startSync(prefix) {
  for (const box of document.querySelectorAll("[data-job]")) watch(box, `${prefix}/sync/status/${encodeURIComponent(box.dataset.job)}`);
}

async function watch(box, url) {
  const words = box.querySelector("[data-job-words]");
  const bar = box.querySelector("progress");
  for (;;) {
    let job;
    try {
      job = await fetchJson(url);
    } catch (error) {
      words.textContent = error.message;
      return;
    }
    const { done, total, message, status } = { ...job, ...job.progress };
    if (bar && total > 0) {
      bar.max = total;
      bar.value = done ?? 0;
    }
    if (message) words.textContent = message;
    if (status !== "running" && status !== "queued" && status !== "pending") {
      toast(status === "completed" ? "The sync is done." : "The sync did not finish.", status === "completed" ? "success" : "error");
      setTimeout(() => location.reload(), 1200);
      return;
    }
    await new Promise((next) => setTimeout(next, POLL));
  }
}
