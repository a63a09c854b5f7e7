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
    if (job.progress) words.textContent = job.progress;
    const share = /(\d+) of (\d+)/.exec(job.progress ?? "");
    if (bar && share) {
      bar.max = Number(share[2]);
      bar.value = Number(share[1]);
    }
    if (job.status !== "running") {
      const done = job.status === "completed";
      toast(done ? "The sync is done." : `The sync did not finish. ${job.error ?? ""}`, done ? "success" : "error");
      setTimeout(() => location.assign(location.pathname), 1500);
      return;
    }
    await new Promise((next) => setTimeout(next, POLL));
  }
}
