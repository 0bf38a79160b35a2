// What Airflow knows of the exports' DAGs: up or not yet, paused or not. Asked with the reader's own rights.
import { airflowApi, notify, words } from "./calls.js";

const EVERY_MS = 1000;
const FOR_MS = 90000;

async function state(dag) {
  try {
    const found = await airflowApi("GET", `/dags/${encodeURIComponent(dag)}`);
    return found.is_stale ? null : found;
  } catch (error) {
    if (error.status === 404 || error.status === 403) return null;
    throw error;
  }
}

function show(dag, found) {
  for (const chip of document.querySelectorAll(`[data-dag="${CSS.escape(dag)}"]`)) {
    chip.textContent = !found ? words("Waiting for Airflow's refresh") : found.is_paused ? words("Paused") : words("Up");
    chip.dataset.state = !found ? "waiting" : found.is_paused ? "paused" : "up";
  }
  for (const button of document.querySelectorAll(`[data-pause="${CSS.escape(dag)}"]`)) {
    button.disabled = !found;
    button.textContent = found?.is_paused ? words("Resume") : words("Pause");
    button.dataset.paused = String(Boolean(found?.is_paused));
  }
  for (const button of document.querySelectorAll(`[data-run="${CSS.escape(dag)}"]`)) button.disabled = !found;
}

export async function watchDags() {
  const waiting = new Set([...document.querySelectorAll("[data-dag]")].map((chip) => chip.dataset.dag));
  const until = Date.now() + FOR_MS;
  while (waiting.size && Date.now() < until) {
    await Promise.all([...waiting].map(async (dag) => {
      try {
        const found = await state(dag);
        show(dag, found);
        if (found) waiting.delete(dag);
      } catch { /* the next round may reach Airflow again */ }
    }));
    if (waiting.size) await new Promise((resume) => { window.setTimeout(resume, EVERY_MS); });
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-pause]");
  if (!button) return;
  const dag = button.dataset.pause;
  const pause = button.dataset.paused !== "true";
  button.disabled = true;
  try {
    show(dag, await airflowApi("PATCH", `/dags/${encodeURIComponent(dag)}`, { is_paused: pause }));
    notify(pause ? words("Paused: no scheduled run starts.") : words("Resumed."));
  } catch (error) {
    button.disabled = false;
    notify(`${words("Airflow did not do it.")} ${error.message}`, true);
  }
});
