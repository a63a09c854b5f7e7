// Jobs that run: watched by server-sent events, by asking again and again where those do not get through.
import { fetchJson } from "./fetch.js";
import { toast } from "./toast.js";

const POLL = 1500;

export function startSync(prefix) {
  for (const box of document.querySelectorAll("[data-job]")) watch(box, prefix, encodeURIComponent(box.dataset.job));
}

function show(box, job) {
  if (!job.progress) return;
  box.querySelector("[data-job-words]").textContent = job.progress;
  const bar = box.querySelector("progress");
  const share = /(\d+) of (\d+)/.exec(job.progress);
  if (bar && share) {
    bar.max = Number(share[2]);
    bar.value = Number(share[1]);
  }
}

function ended(job) {
  const done = job.status === "completed";
  toast(done ? "The job is done." : `The job did not finish. ${job.error ?? ""}`, done ? "success" : "error");
  setTimeout(() => location.reload(), 1500);
}

function write(line) {
  const log = document.querySelector("[data-job-log]");
  if (!log) return;
  const item = document.createElement("li");
  const main = document.createElement("div");
  main.className = line.level === "info" ? "rows__main" : "rows__main field-error";
  main.textContent = line.message;
  item.append(main);
  log.append(item);
}

function watch(box, prefix, id) {
  const shown = document.querySelectorAll("[data-job-log] > li").length;
  const source = new EventSource(`${prefix}/api/sync/jobs/${id}/events`);
  let heard = false;
  let seen = 0;
  source.addEventListener("log", (event) => {
    heard = true;
    seen += 1;
    if (seen > shown) write(JSON.parse(event.data));
  });
  source.addEventListener("job", (event) => {
    heard = true;
    show(box, JSON.parse(event.data));
  });
  source.addEventListener("end", (event) => {
    heard = true;
    source.close();
    ended(JSON.parse(event.data));
  });
  // An answer ends every few seconds and is asked for anew; nothing at all means that events do not get through.
  setTimeout(() => {
    if (heard) return;
    source.close();
    poll(box, `${prefix}/sync/status/${id}`);
  }, 2 * POLL);
}

async function poll(box, url) {
  for (;;) {
    let job;
    try {
      job = await fetchJson(url);
    } catch (error) {
      box.querySelector("[data-job-words]").textContent = error.message;
      return;
    }
    show(box, job);
    if (job.status !== "running") {
      ended(job);
      return;
    }
    await new Promise((next) => setTimeout(next, POLL));
  }
}
