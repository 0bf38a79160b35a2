// What every page needs of the browser: links out of the frame, live progress, running an export again.
import { airflowApi, ask, root, notify, words } from "./calls.js";

const EVERY_MS = 2000;

// A link to Airflow's own pages leaves the frame: the frame's sandbox forbids it, a click in the outer page does not.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow-link]");
  if (!link || window.parent === window) return;
  event.preventDefault();
  const outer = window.parent.document;
  const copy = outer.createElement("a");
  copy.href = link.href;
  outer.body.append(copy);
  copy.click();
  copy.remove();
});

// At narrow widths the row of pages scrolls; the one being shown has to be in sight. Not by scrollIntoView(), which
// would also have the Tab key start from there.
const shownPage = document.querySelector(".tabs [aria-current]");
if (shownPage) shownPage.closest("nav").scrollLeft = shownPage.offsetLeft - shownPage.closest("nav").offsetLeft - 12;

// --- live progress ---------------------------------------------------------------------------------------------
async function refresh() {
  const keys = [...new Set([...document.querySelectorAll("[data-bar]")].map((bar) => bar.dataset.bar))];
  if (!keys.length) return;
  const before = Object.fromEntries(keys.map((key) => [key, document.querySelector(`[data-bar="${key}"]`).dataset.status]));
  const query = keys.map((key) => "run=" + encodeURIComponent(key)).join("&");
  let found;
  try {
    found = await ask("GET", `${root}/audit/progress?${query}`);
  } catch {
    return; // the next round may reach the server again
  }
  for (const [key, run] of Object.entries(found)) {
    if (before[key] && before[key] !== run.status) {
      window.location.reload();
      return;
    }
    show(key, run);
  }
}

function show(key, run) {
  for (const bar of document.querySelectorAll(`[data-bar="${key}"]`)) {
    bar.dataset.status = run.status;
    if (run.percent === null) bar.removeAttribute("value");
    else bar.value = run.percent;
  }
  for (const text of document.querySelectorAll(`[data-percent="${key}"]`)) {
    text.textContent = run.percent === null ? "" : run.percent + "%";
  }
  for (const stage of document.querySelectorAll(`[data-under-way="${key}"] [data-stage]`)) {
    const counts = run.stages[stage.dataset.stage];
    if (counts) stage.textContent = `${counts[0]} / ${counts[1]}`;
  }
}

if (document.querySelector("[data-bar]")) {
  refresh();
  window.setInterval(() => document.hidden || refresh(), EVERY_MS);
}
if (document.querySelector("[data-wait-for-record]")) window.setTimeout(() => window.location.reload(), EVERY_MS);

// Buttons are made disabled and enabled by their script, so that none is pressed in vain before that is there.
for (const button of document.querySelectorAll("button[data-run][data-conf]")) button.disabled = false;

// --- run an export ---------------------------------------------------------------------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-run]");
  if (!button) return;
  button.disabled = true;
  try {
    const dag = button.dataset.run;
    const conf = JSON.parse(button.dataset.conf || "{}");
    const run = await airflowApi("POST", `/dags/${encodeURIComponent(dag)}/dagRuns`, { logical_date: null, conf });
    window.location.assign(`${root}/dag-run/${encodeURIComponent(dag)}/${encodeURIComponent(run.dag_run_id)}`);
  } catch (error) {
    notify(`${words("The export could not be started.")} ${error.message}`, true);
    button.disabled = false;
  }
});
