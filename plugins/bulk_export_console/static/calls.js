// Ask the server: these pages' own routes, and Airflow's public API with the reader's own rights.
const page = document.documentElement.dataset;
export const root = page.root;

export class Refused extends Error {
  constructor(status, answer) {
    super(answer.message || answer.detail || `HTTP ${status}`);
    this.status = status;
    this.answer = answer;
  }
}

export async function ask(method, url, body) {
  const request = { method, headers: { Accept: "application/json" }, credentials: "same-origin" };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  } else if (method !== "GET") {
    request.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(url, request);
  const text = await response.text();
  let answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    answer = { message: text.slice(0, 300) };
  }
  if (typeof answer.detail === "object") answer = { message: JSON.stringify(answer.detail) };
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

export const airflowApi = (method, path, body) => ask(method, `${page.airflow}/api/v2${path}`, body);

const notice = document.getElementById("notification");
let fading;
export function notify(text, failed = false) {
  notice.textContent = text;
  notice.className = failed ? "notification tone-failed shown" : "notification shown";
  window.clearTimeout(fading);
  fading = window.setTimeout(() => { notice.className = "notification"; }, failed ? 15000 : 6000);
}

// Texts that scripts show come translated with the page that loads them.
const given = document.getElementById("words");
const texts = given ? JSON.parse(given.textContent) : {};
export const words = (text) => texts[text] || text;
