// The form of an export: what it would do, shown before anything is created; create, save, send at once.
import { airflowApi, ask, root, notify, words } from "./calls.js";
import { watchDags } from "./dags.js";
import { conflict, onDelete, refused } from "./dialogs.js";

const NOW_DAG = "bulk_contact_export_now";
const form = document.getElementById("export-form");
const number = new Intl.NumberFormat(document.documentElement.lang, { useGrouping: "always" });

watchDags();
onDelete(() => form?.dataset.seen || document.querySelector("[data-seen]")?.dataset.seen, "exports");

function values() {
  const given = new FormData(form);
  const text = (name) => String(given.get(name) ?? "").trim();
  return {
    name: text("name"), description: text("description"), search: text("search"),
    storage_location: text("storage_location"), audio_video: text("audio_video"), audio_only: text("audio_only"),
    transcripts: text("transcripts"), when: text("when"), days: given.getAll("days"), day: Number(text("day")) || 0,
    time: text("time"), cron: text("cron"), time_zone: text("time_zone"), csv: text("csv") || "standard", separator: text("separator"),
    on_quota_exceeded: text("on_quota_exceeded") || "continue", incremental: given.has("incremental"),
    enabled: given.has("enabled"),
  };
}

function arrange() {
  const when = form.querySelector('[name="when"]:checked')?.value;
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(when);
}

// --- what it would do ------------------------------------------------------------------------------------------
let requests = 0;
async function estimate() {
  const box = document.getElementById("estimate");
  const request = ++requests;
  const given = values();
  if (!given.search) {
    say(box, [[words("Choose a saved search to see what it matches."), "quiet"]]);
  } else {
    say(box, [[words("Counting…"), "quiet"]]);
  }
  let found;
  try {
    found = await ask("POST", `${root}/exports/estimate`, given);
  } catch (error) {
    found = { problems: [error.message], next_runs: [] };
  }
  if (request !== requests) return; // the form has changed since
  const lines = found.problems.map((problem) => [problem, "wrong"]);
  if (found.matches) lines.push(...effect(found.matches, given.on_quota_exceeded));
  else if (given.search && !lines.length) lines.push([words("This cannot be counted."), "wrong"]);
  if (!lines.length) lines.push([words("Choose a saved search to see what it matches."), "quiet"]);
  say(box, lines);
  const times = document.getElementById("upcoming");
  times.hidden = !found.next_runs.length;
  times.querySelector("ol").replaceChildren(...found.next_runs.map((run) => {
    const item = document.createElement("li");
    const utc = Object.assign(document.createElement("span"), { className: "quiet", textContent: ` ${run.utc} UTC` });
    item.append(run.local, utc);
    return item;
  }));
}

function effect(matches, policy) {
  const lines = [[`${words("Matching contacts:")} ${number.format(matches.matched)}`, "strong"]];
  if (matches.roots) lines.push([`${words("Root recordings left out:")} ${number.format(matches.roots)}`, "quiet"]);
  lines.push([`${size(matches.media_bytes)} ${words("expected, as stored")}`, ""]);
  lines.push([`${number.format(matches.quota_left)} / ${number.format(matches.daily_limit)} ${words("left of today's quota")}`, ""]);
  const gaps = (text) => text.replace("{now}", number.format(matches.exported_now)).replace("{days}", matches.quota_days);
  if (!matches.matched) lines.push([words("Nothing matches now."), "quiet"]);
  else if (matches.exported_now === matches.matched) lines.push([words("All of it fits into today's quota."), ""]);
  else if (policy === "continue") lines.push([gaps(words("{now} today, the rest on later days: {days} days in all.")), ""]);
  else if (policy === "truncate") lines.push([gaps(words("{now} today, the rest is reported and not exported.")), "wrong"]);
  else lines.push([words("Nothing would be exported: it does not fit into today's quota."), "wrong"]);
  return lines;
}

function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let power = 0;
  for (; bytes >= 1000 && power < units.length - 1; power += 1) bytes /= 1000;
  return `${new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: power ? 1 : 0 }).format(bytes)} ${units[power]}`;
}

function say(box, lines) {
  box.replaceChildren(...lines.map(([text, kind]) => {
    const line = document.createElement("p");
    if (kind === "strong") line.append(Object.assign(document.createElement("strong"), { textContent: text }));
    else Object.assign(line, { textContent: text, className: kind });
    return line;
  }));
}

// --- create, save, send ----------------------------------------------------------------------------------------
async function send(given) {
  const conf = Object.fromEntries(
    ["name", "search", "storage_location", "audio_video", "audio_only", "transcripts"].map((key) => [key, given[key]]),
  );
  const run = await airflowApi("POST", `/dags/${NOW_DAG}/dagRuns`, { logical_date: null, conf });
  window.location.assign(`${root}/dag-run/${NOW_DAG}/${encodeURIComponent(run.dag_run_id)}`);
}

async function store(given, seen) {
  const id = form.dataset.id;
  const answer = id
    ? await ask("PUT", `${root}/exports/${id}`, { form: given, seen })
    : await ask("POST", `${root}/exports`, given);
  window.location.assign(`${root}/exports/${answer.id}`);
}

function missing() {
  let first = null;
  for (const name of ["name", "search", "storage_location"]) {
    const input = form.elements[name];
    const empty = !input.value.trim();
    if (empty) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    if (empty && !first) first = input;
  }
  first?.focus();
  return first;
}

async function submit(seen) {
  const given = values();
  const button = form.querySelector("button[type=submit]");
  if (missing()) return;
  button.disabled = true;
  try {
    if (given.when === "now") await send(given);
    else await store(given, seen);
  } catch (error) {
    button.disabled = false;
    if (error.answer?.code === "EDIT_UNSEEN") conflict(error.answer, (etag) => submit(etag));
    else if (error.status) refused(error);
    else notify(error.message, true);
  }
}

if (form) {
  let later;
  arrange();
  if (form.querySelector("button[type=submit]")) estimate();
  form.addEventListener("input", () => {
    arrange();
    window.clearTimeout(later);
    later = window.setTimeout(estimate, 400);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form.dataset.seen);
  });
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
}
